/** Fewer levels per colour, with and without dithering. */
import { toLevel } from './additive.ts'
import type { ImageSize } from './attack.ts'

/** Where the error of a pixel goes (Floyd, Steinberg 1976): row and column steps, and sixteenths. */
const DIFFUSION = [
	[0, 1, 7],
	[1, -1, 3],
	[1, 0, 5],
	[1, 1, 1],
] as const

/**
 * The image in `2 ** bits` evenly spaced levels per channel; a new array.
 * @param bits 1..7
 */
export function quantise(pixels: Uint8Array, bits: number): Uint8Array {
	return pixels.map((level) => toLevel(nearest(level, bits)))
}

/**
 * As `quantise`, but what each pixel loses is passed on to its neighbours to the right and below, each channel by itself, rows from left
 * to right. Errors are carried in double precision; what falls off the edge is lost.
 */
export function ditherFloydSteinberg(pixels: Uint8Array, size: ImageSize, bits: number): Uint8Array {
	const { height, width, channels } = size
	const levels = Float64Array.from(pixels)
	const rowLength = width * channels
	for (let i = 0; i < levels.length; i++) {
		const wanted = levels[i]!
		levels[i] = nearest(wanted, bits)
		const error = wanted - levels[i]!
		const column = Math.floor((i % rowLength) / channels)
		const row = Math.floor(i / rowLength)
		for (const [down, right, sixteenths] of DIFFUSION) {
			if (row + down >= height || column + right < 0 || column + right >= width) continue
			levels[i + down * rowLength + right * channels]! += (error * sixteenths) / 16
		}
	}
	return Uint8Array.from(levels, toLevel)
}

/** The nearest of the `2 ** bits` levels, not rounded to a whole one. */
function nearest(level: number, bits: number): number {
	const steps = 2 ** bits - 1
	return (Math.min(steps, Math.max(0, Math.round((level / 255) * steps))) / steps) * 255
}
