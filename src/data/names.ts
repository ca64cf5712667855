/** Usual names of arrays inside a file, most specific to the lab first; the first that is present is taken. */

/** Names under which images are looked for: the backdoor lab's, then Keras' and numpy's. */
export const IMAGE_NAMES: readonly string[] = ['data', 'images', 'x', 'x_test', 'arr_0']

/** Names under which labels are looked for. */
export const LABEL_NAMES: readonly string[] = ['label', 'labels', 'y', 'y_test', 'arr_1']
