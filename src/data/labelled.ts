/** A labelled set held whole, so that training can take its images in any order. */
import { InputError, throwIfAborted } from '../errors.ts'
import type { ImageSet, ImageShape } from './image-set.ts'

/** Images in memory as bytes, `[count, height, width, channels]`, 0..255. */
export interface LabelledImages {
	readonly pixels: Uint8Array
	/** `[count]`, zero-based. */
	readonly labels: Int32Array
	readonly count: number
	readonly height: number
	readonly width: number
	/** 1 (grey) or 3 (red, green, blue). */
	readonly channels: number
}

/** 4 GiB: a million CIFAR images, 80,000 of 128×128. Training sets beyond that want a machine and a reader of another kind. */
const MAX_BYTES = 2 ** 32
/** Images read at a time. */
const BATCH = 256

/**
 * All of `images`, read once.
 *
 * @throws InputError `no-labels`, `too-large`; `not-bytes` where a pixel is no whole number of 0..255
 */
export async function readLabelled(images: ImageSet, signal?: AbortSignal): Promise<LabelledImages> {
	const { path, count, height, width, channels, labels } = images
	if (!labels) {
		throw new InputError('no-labels', `${path}: expected labelled images to train on, found no labels`, { path })
	}
	const valuesPerImage = height * width * channels
	if (count * valuesPerImage > MAX_BYTES) {
		const message = `${path}: expected at most ${MAX_BYTES} pixel values to hold in memory, found ${count * valuesPerImage}; train on a part of it`
		throw new InputError('too-large', message, { path })
	}
	const pixels = new Uint8Array(count * valuesPerImage)
	for await (const batch of images.batches(BATCH, signal)) {
		throwIfAborted(signal)
		checkBytes(batch.pixels, batch.start, valuesPerImage, path)
		const target = pixels.subarray(batch.start * valuesPerImage, (batch.start + batch.count) * valuesPerImage)
		toChannelsLast(batch.pixels, target, images)
	}
	return { pixels, labels: labels.slice(), count, height, width, channels }
}

function checkBytes(pixels: Uint8Array | Float32Array, start: number, valuesPerImage: number, path: string): void {
	if (pixels instanceof Uint8Array) return
	const at = pixels.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= 255))
	if (at === -1) return
	const image = start + Math.floor(at / valuesPerImage)
	const message = `${path}: expected whole pixel values of 0..255, found ${pixels[at]} in image ${image}; store raw pixels, and scale them with --scale`
	throw new InputError('not-bytes', message, { path })
}

function toChannelsLast(pixels: Uint8Array | Float32Array, target: Uint8Array, shape: ImageShape): void {
	if (shape.layout === 'NHWC' || shape.channels === 1) {
		target.set(pixels)
		return
	}
	const area = shape.height * shape.width
	const size = area * shape.channels
	for (let image = 0; image < target.length; image += size) {
		for (let c = 0; c < shape.channels; c++) {
			for (let i = 0; i < area; i++) target[image + i * shape.channels + c] = pixels[image + c * area + i]!
		}
	}
}
