/** Weights as they are stored, whatever kind of file holds them. */

/** An array of floating-point numbers as stored: `bytes` is little-endian and row-major, in a buffer of its own, `size` bytes per element (2, 4 or 8). */
export interface StoredArray {
	/** Its name in the file: the absolute path of an HDF5 dataset, or a weight's name in a TF.js manifest. */
	readonly dataset: string
	readonly dims: readonly number[]
	readonly size: 2 | 4 | 8
	readonly bytes: Uint8Array
}

/** Where stored weights are read from and written back to: an HDF5 file, or the shards of a TF.js model. */
export interface WeightFile {
	/** The shape of `dataset`, read without its data. */
	dimsOf(dataset: string): readonly number[]
	/** The floating-point numbers of `dataset`. */
	readArray(dataset: string): StoredArray
	/** Writes `array.bytes` over the dataset it came from. */
	writeArray(array: StoredArray): void
}
