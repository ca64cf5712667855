/** Which way round an array of images lies: `[N, C, H, W]` or `[N, H, W, C]`. */
import { InputError } from '../errors.ts'
import type { ImageShape, ImageSize, Layout } from './image-set.ts'
import type { OpenOptions } from './options.ts'

/** Channel counts of ordinary pictures: grey, colour, colour with alpha. */
const USUAL_CHANNELS: readonly number[] = [1, 3, 4]

/**
 * How an array of shape `dims` reads as images: `[N, H, W]` is grey; `[N, a, b, c]` is decided by `options.layout`, else by what the
 * model expects, else by which of `a` and `c` is a usual number of channels.
 * @param title how messages name the array, e.g. `"data" in valid.h5`
 * @throws InputError `shape-mismatch` where no reading is what the model expects or the array holds no images at all,
 *   `ambiguous-layout` where two readings are possible
 */
export function readLayout(dims: readonly number[], options: OpenOptions, title: string, path: string): ImageShape {
	const readings = possibleReadings(dims, options.layout)
	if (readings.length === 0) {
		const message = `${title}: expected images as [N, C, H, W], [N, H, W, C] or [N, H, W], found ${bracketed(dims)}`
		throw new InputError('shape-mismatch', message, { path })
	}
	const { expected } = options
	const fitting = readings.filter((reading) => (expected ? fits(reading, expected, options.resize) : isUsual(reading)))
	if (fitting.length === 1) return fitting[0]!
	if (!expected && readings.length === 1) return readings[0]!
	if (!expected || fitting.length > 1) {
		const message = `${title}: ${bracketed(dims)} can be read both ways round; say which with --layout NCHW|NHWC`
		throw new InputError('ambiguous-layout', message, { path })
	}
	throw shapeMismatch(readings, expected, title, path)
}

/** `height×width×channels`, as messages write it. */
export function sizeOf(image: ImageSize): string {
	return `${image.height}×${image.width}×${image.channels}`
}

function possibleReadings(dims: readonly number[], layout: Layout | undefined): ImageShape[] {
	const [, a, b, c] = dims
	if (a === undefined || b === undefined || dims.length > 4) return []
	if (c === undefined) return [{ height: a, width: b, channels: 1, layout: 'NHWC' }]
	const first: ImageShape = { height: b, width: c, channels: a, layout: 'NCHW' }
	const last: ImageShape = { height: a, width: b, channels: c, layout: 'NHWC' }
	return [first, last].filter((reading) => layout === undefined || reading.layout === layout)
}

function fits(image: ImageShape, expected: ImageSize, resize = false): boolean {
	if (image.channels !== expected.channels) return false
	return resize || (image.height === expected.height && image.width === expected.width)
}

function isUsual(image: ImageShape): boolean {
	return USUAL_CHANNELS.includes(image.channels)
}

function shapeMismatch(readings: readonly ImageShape[], expected: ImageSize, title: string, path: string): InputError {
	const found = readings.map((reading) => `${sizeOf(reading)} (${reading.layout})`).join(' or ')
	const isOtherSize = readings.some((reading) => reading.channels === expected.channels)
	const wayOut = isOtherSize ? 'pass --resize to fit them' : 'use images with that many channels'
	const message = `${title}: expected images of ${sizeOf(expected)} (height×width×channels), found ${found}; ${wayOut}`
	return new InputError('shape-mismatch', message, { path })
}

function bracketed(dims: readonly number[]): string {
	return `[${dims.join(', ')}]`
}
