/** From "read these images" to an `ImageSet`: the part that all readers share. */
import { InputError, throwIfAborted, UsageError } from '../errors.ts'
import type { ImageBatch, ImageSet, ImageShape } from './image-set.ts'

/** Pixels narrowed to what models take: bytes stay bytes, everything else becomes float32. */
export type Pixels = Uint8Array | Float32Array

/** Values of one image above this are refused: 8192 × 8192 in grey; the classifiers we know take 600 × 600 at most. */
const MAX_IMAGE_VALUES = 2 ** 26

/** Images of one set above this are refused: ImageNet has 14 million; labels alone would take 512 MB here. */
const MAX_IMAGES = 2 ** 27

/** What a reader provides. The rest of `ImageSet` follows from it. */
export interface PixelSource extends ImageShape {
	readonly path: string
	/** How messages name the array or folder the pixels come from, e.g. `"data" in valid.h5`. */
	readonly title: string
	readonly count: number
	readonly storage: 'uint8' | 'float32'
	readonly labels: Int32Array | null
	readonly classNames: readonly string[] | null
	/** Default null. */
	readonly imageNames?: readonly string[] | null
	/** Fills `target` (of type `storage`) with `count` images from image `start` on. */
	read(start: number, count: number, target: Pixels): void | Promise<void>
	sha256(): Promise<string>
	close(): void
}

/**
 * The set over `source`.
 * @throws InputError `empty-set` where it has no images, `image-too-large` or `too-many-images` beyond the ceilings above
 */
export function imageSet(source: PixelSource): ImageSet {
	const { path, title, count, height, width, channels, layout, labels, classNames, imageNames = null } = source
	if (count === 0) {
		throw new InputError('empty-set', `${title}: expected at least one image, found none`, { path })
	}
	if (count > MAX_IMAGES) {
		throw new InputError('too-many-images', `${title}: expected at most ${MAX_IMAGES} images, found ${count}`, { path })
	}
	const values = height * width * channels
	if (!(values > 0 && values <= MAX_IMAGE_VALUES)) {
		const found = `${height}×${width}×${channels}`
		throw new InputError(
			'image-too-large',
			`${title}: expected 1 to ${MAX_IMAGE_VALUES} values an image, found ${found}`,
			{
				path,
			},
		)
	}
	let digest: Promise<string> | undefined
	return {
		path,
		count,
		height,
		width,
		channels,
		layout,
		labels,
		classNames,
		imageNames,
		sha256() {
			digest ??= source.sha256()
			return digest
		},
		batches: (size, signal, from) => readBatches(source, size, signal, from),
		close: () => source.close(),
	}
}

async function* readBatches(
	source: PixelSource,
	size: number,
	signal?: AbortSignal,
	from = 0,
): AsyncGenerator<ImageBatch> {
	if (!Number.isInteger(size) || size < 1) {
		throw new UsageError('bad-batch-size', `batch size: expected a positive integer, found ${size}`)
	}
	const valuesPerImage = source.height * source.width * source.channels
	const length = Math.min(size, source.count) * valuesPerImage
	const buffer = source.storage === 'uint8' ? new Uint8Array(length) : new Float32Array(length)
	for (let start = from; start < source.count; start += size) {
		throwIfAborted(signal)
		const count = Math.min(size, source.count - start)
		const pixels = buffer.subarray(0, count * valuesPerImage)
		await source.read(start, count, pixels)
		if (pixels instanceof Float32Array) checkFinite(pixels, source, start, valuesPerImage)
		yield { start, count, pixels }
	}
}

function checkFinite(pixels: Float32Array, source: PixelSource, start: number, valuesPerImage: number): void {
	// `v * 0` is NaN for NaN and for infinities, and adding keeps it: one branch a batch in place of one a pixel.
	let sum = 0
	for (let i = 0; i < pixels.length; i++) sum += pixels[i]! * 0
	if (sum === 0) return
	const at = pixels.findIndex((value) => !Number.isFinite(value))
	const image = start + Math.floor(at / valuesPerImage)
	const message = `${source.title}: expected finite pixels, found ${pixels[at]} in image ${image}; remove or repair that image`
	throw new InputError('not-finite', message, { path: source.path })
}
