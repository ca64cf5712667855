/**
 * Bilinear resizing, the one way in which goodnet changes the size of an image, for every file format and in a browser alike. The
 * filter is a triangle that widens when shrinking (antialiasing), pixel centres at halves: as Pillow's `BILINEAR`, torchvision's and
 * TensorFlow's `antialias=True` do it. Pillow rounds between its two passes, so that it may differ by one grey level.
 */
import type { Pixels } from './pixels.ts'

interface Size {
	readonly height: number
	readonly width: number
}

/**
 * `pixels` `[height, width, channels]` of size `from` → a new array of size `to`, of the same type; bytes are rounded to the nearest.
 */
export function resizeBilinear(pixels: Pixels, from: Size, to: Size, channels: number): Pixels {
	const rows = new Float64Array(from.height * to.width * channels)
	for (let y = 0; y < from.height; y++) {
		const begin = y * from.width * channels
		const line = pixels.subarray(begin, begin + from.width * channels)
		rows.set(resample(line, from.width, to.width, channels), y * to.width * channels)
	}
	// The second pass sees each column of a row, with all its channels, as one wide pixel.
	const result = resample(rows, from.height, to.height, to.width * channels)
	return pixels instanceof Uint8Array ? Uint8Array.from(result, Math.round) : Float32Array.from(result)
}

/** Resamples `length` steps of `stride` values each to `newLength` steps. */
function resample(values: Pixels | Float64Array, length: number, newLength: number, stride: number): Float64Array {
	const result = new Float64Array(newLength * stride)
	const scale = length / newLength
	const support = Math.max(1, scale)
	for (let i = 0; i < newLength; i++) {
		const centre = (i + 0.5) * scale
		const begin = Math.max(0, Math.round(centre - support))
		const end = Math.min(length, Math.round(centre + support))
		const weights = triangle(begin, end, centre, support)
		for (let k = begin; k < end; k++) addScaled(result, i * stride, values, k * stride, stride, weights[k - begin]!)
	}
	return result
}

/** Weights of the steps `begin` to `end`, which sum to 1. */
function triangle(begin: number, end: number, centre: number, support: number): number[] {
	const weights: number[] = []
	for (let k = begin; k < end; k++) weights.push(Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support))
	const sum = weights.reduce((a, b) => a + b, 0)
	return weights.map((weight) => weight / sum)
}

function addScaled(
	target: Float64Array,
	at: number,
	source: Pixels | Float64Array,
	from: number,
	count: number,
	weight: number,
): void {
	for (let j = 0; j < count; j++) target[at + j]! += source[from + j]! * weight
}
