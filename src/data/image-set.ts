/** A labelled set of images, read in batches and never held whole. One interface for every file format. */

/** How images lie in memory: channels last (`[N, H, W, C]`) or channels first (`[N, C, H, W]`). */
export type Layout = 'NHWC' | 'NCHW'

/** One image, all in pixels and channels. */
export interface ImageSize {
	readonly height: number
	readonly width: number
	/** Colour channels: 1 or 3 (or whatever the file holds). */
	readonly channels: number
}

/** The shape of one image and how it lies in memory; what a set has and what a model wants are both said in these words. */
export interface ImageShape extends ImageSize {
	readonly layout: Layout
}

/** Some consecutive images of a set. `pixels` is `[count, …]` in the set's own `layout`; a reader may reuse it for the next batch. */
export interface ImageBatch {
	/** Index of the first image within the set. */
	readonly start: number
	readonly count: number
	/** Raw pixel values as stored, 0..255 for ordinary images; float64 files are narrowed to float32 batch by batch. */
	readonly pixels: Uint8Array | Float32Array
}

/** All readers of this folder give an `ImageSet`: constant shape, labels in memory, pixels on disk until asked for. */
export interface ImageSet extends ImageShape {
	/** The path the user named. */
	readonly path: string
	/** Number of images, at least 1. */
	readonly count: number
	/** Zero-based class of each image, or null where the set has no labels. */
	readonly labels: Int32Array | null
	/** Names of the classes where the source tells them (a folder's sub-folders), by label. */
	readonly classNames: readonly string[] | null
	/** What each image is called where it is a file of its own: its path; null where the set is one file. */
	readonly imageNames: readonly string[] | null
	/** SHA-256 of the file (of the sorted listing and contents for a folder, see `hash.ts`), hex. Computed on first call, by streaming. */
	sha256(): Promise<string>
	/**
	 * All images in order, or those from image `from` on, at most `size` at a time. The last batch may be smaller.
	 * @throws UsageError `bad-batch-size` where `size` is not a positive integer, InterruptedError once `signal` is aborted
	 * @throws InputError on NaN or infinite pixels (it names the image), FormatError on a corrupt file
	 */
	batches(size: number, signal?: AbortSignal, from?: number): AsyncIterable<ImageBatch>
	/** Frees the file. The set is of no use afterwards. */
	close(): void
}
