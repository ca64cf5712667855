/** Labelled pictures in memory, and how a set comes there. */

import { InputError } from '../errors.ts'
import type { ImageBatch, ImageSet, ImageSize } from './image-set.ts'

/** Pictures with their classes. */
export interface LabelledImages {
	/** `[count, height, width, channels]`, 0..255. */
	readonly pixels: Uint8Array
	/** `[count]`, zero-based. */
	readonly labels: Int32Array
	readonly count: number
}

/** Values of one image. */
export function valuesOf({ height, width, channels }: ImageSize): number {
	return height * width * channels
}

/** Image `index` of a set; a view. */
export function imageAt(pixels: Uint8Array, index: number, size: ImageSize): Uint8Array {
	const length = valuesOf(size)
	return pixels.subarray(index * length, (index + 1) * length)
}

/** The images whose numbers are in `indices`, copied, in that order. */
export function pickImages(
	{ pixels, labels }: LabelledImages,
	size: ImageSize,
	indices: readonly number[],
): LabelledImages {
	const length = valuesOf(size)
	const picked = new Uint8Array(indices.length * length)
	for (const [to, from] of indices.entries()) picked.set(imageAt(pixels, from, size), to * length)
	return { pixels: picked, labels: Int32Array.from(indices, (i) => labels[i]!), count: indices.length }
}

/** Images are read this many at a time. */
const BATCH = 256

export interface ReadImagesOptions {
	readonly signal?: AbortSignal | undefined
	/** Called after each batch. */
	readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Reads a whole labelled set into memory, one byte a value, channels last.
 * @throws InputError `no-labels`, `not-levels` where pixels are not whole levels 0..255 (it names the image); and as `batches` does
 */
export async function readImages(set: ImageSet, options: ReadImagesOptions = {}): Promise<LabelledImages> {
	const { labels, count, path } = set
	if (!labels) {
		throw new InputError('no-labels', `${path}: expected labelled images, found no labels`, { path })
	}
	return { pixels: await readPixels(set, options), labels, count }
}

/**
 * Reads the pictures of a set into memory, `[count, height, width, channels]`, 0..255; labels are not looked at.
 * @throws InputError `not-levels`; and as `batches` does
 */
export async function readPixels(set: ImageSet, { signal, onProgress }: ReadImagesOptions = {}): Promise<Uint8Array> {
	const length = valuesOf(set)
	const pixels = new Uint8Array(set.count * length)
	for await (const batch of set.batches(BATCH, signal)) {
		pixels.set(levelsOf(batch, set), batch.start * length)
		onProgress?.(batch.start + batch.count, set.count)
	}
	return pixels
}

/** A batch as bytes, channels last. */
function levelsOf(batch: ImageBatch, set: ImageSet): Uint8Array {
	const levels = batch.pixels instanceof Uint8Array ? batch.pixels : wholeLevels(batch, batch.pixels, set)
	return set.layout === 'NHWC' || set.channels === 1 ? levels : channelsLast(levels, batch.count, set)
}

function wholeLevels({ start }: ImageBatch, pixels: Float32Array, set: ImageSet): Uint8Array {
	const levels = Uint8Array.from(pixels)
	const bad = levels.findIndex((level, i) => level !== pixels[i])
	if (bad === -1) return levels
	const image = start + Math.floor(bad / valuesOf(set))
	const message = `${set.path}: expected pixels of whole levels 0..255, found ${pixels[bad]} in image ${image}; give the images as they are before scaling`
	throw new InputError('not-levels', message, { path: set.path })
}

function channelsLast(planes: Uint8Array, count: number, { height, width, channels }: ImageSize): Uint8Array {
	const area = height * width
	const pixels = new Uint8Array(count * area * channels)
	for (let i = 0; i < count * channels; i++) {
		const channel = i % channels
		const start = (i - channel) * area + channel
		for (let p = 0; p < area; p++) pixels[start + p * channels] = planes[i * area + p]!
	}
	return pixels
}
