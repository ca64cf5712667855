/** What a caller may tell an opener about the set it opens. */
import type { Layout } from './image-set.ts'

/** The shape of one image as the model wants it, all in pixels and channels. */
export interface ExpectedImage {
	readonly height: number
	readonly width: number
	readonly channels: number
}

/** Names of the arrays inside a file. Without `labels` the usual names are tried. */
export interface ArrayNames {
	readonly images: string
	readonly labels?: string | undefined
}

export interface OpenOptions {
	/** How arrays lie in the file, where the caller knows (`--layout`). Default: recognised by comparing with `expected`. */
	readonly layout?: Layout | undefined
	/** What the model wants. Images of another size are an error unless `resize` is set. Default: whatever the set holds. */
	readonly expected?: ExpectedImage | undefined
	/**
	 * Accept other sizes than `expected` (`--resize`). Image files are then resized while they are read; arrays (HDF5, npy, npz) keep
	 * their size and `preprocess` resizes. Both use `resizeBilinear`. Default false.
	 */
	readonly resize?: boolean | undefined
	/** Which arrays of the file to read. Default: the usual names. */
	readonly names?: ArrayNames | undefined
}
