/** Labels from any numeric array: Matlab and the backdoor lab store them as float64. */
import { InputError } from '../errors.ts'

/** Labels above this are refused: the largest label sets we know have some 20,000 classes. */
export const MAX_LABEL = 2 ** 24

/**
 * `values` `[count]` as zero-based classes.
 * @param title how messages name the array, e.g. `"label" in valid.h5`
 * @throws InputError `label-count` where there is not exactly one per image, `bad-label` on a fractional, negative or absurd one
 */
export function parseLabels(
	values: ArrayLike<number | bigint>,
	count: number,
	title: string,
	path: string,
): Int32Array {
	if (values.length !== count) {
		const message = `${title}: expected one label per image (${count}), found ${values.length}`
		throw new InputError('label-count', message, { path })
	}
	const labels = new Int32Array(count)
	for (let i = 0; i < count; i++) {
		const label = Number(values[i])
		if (!Number.isInteger(label) || label < 0 || label > MAX_LABEL) {
			const message = `${title}: expected whole labels from 0 to ${MAX_LABEL}, found ${label} at image ${i}`
			throw new InputError('bad-label', message, { path })
		}
		labels[i] = label
	}
	return labels
}
