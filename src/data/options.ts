/** What a caller may tell an opener about the set it opens. */
import type { ImageSize, Layout } from './image-set.ts'

/**
 * What the path alone does not tell, and the user may write behind a colon (`PATH:images,labels`; `PATH:labels` where the path is the images):
 *
 * | set | `images` | `labels` |
 * |---|---|---|
 * | HDF5, npz | array inside the file | array inside the file |
 * | Parquet file | column | column |
 * | labels CSV | column of file names | column |
 * | folder of CIFAR or Parquet files | which part: `train`, `test` … | as for its files |
 * | CIFAR file | – | `label`, `fine` or `coarse` |
 * | IDX file, folder of pictures | – | file with the labels, beside the images or from here |
 *
 * What is left out is looked for under its usual names.
 */
export interface PartNames {
	readonly images?: string | undefined
	readonly labels?: string | undefined
}

export interface OpenOptions {
	/** How arrays lie in the file, where the caller knows (`--layout`). Default: recognised by comparing with `expected`. */
	readonly layout?: Layout | undefined
	/** What the model wants. Images of another size are an error unless `resize` is set. Default: whatever the set holds. */
	readonly expected?: ImageSize | undefined
	/**
	 * Accept other sizes than `expected` (`--resize`). Image files are then resized while they are read; arrays (HDF5, npy, npz) keep
	 * their size and `preprocess` resizes. Both use `resizeBilinear`. Default false.
	 */
	readonly resize?: boolean | undefined
	/** Which arrays, columns or files to read. Default: the usual names. */
	readonly names?: PartNames | undefined
}
