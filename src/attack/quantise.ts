/** Fewer levels per colour, with and without dithering. */

import type { ImageSize } from '../data/image-set.ts'
import { toLevel } from './additive.ts'

/**
 * The image in `2 ** bits` evenly spaced levels per channel; a new array.
 * @param bits 1..7
 */
export function quantise(pixels: Uint8Array, bits: number): Uint8Array {
	const steps = 2 ** bits - 1
	return pixels.map((level) => toLevel(nearest(level, steps)))
}

/**
 * As `quantise`, but what each pixel loses is passed on to its neighbours to the right and below, each channel by itself, rows from left
 * to right (Floyd, Steinberg 1976). Errors are carried in double precision; what falls off the edge is lost.
 */
export function ditherFloydSteinberg(
	pixels: Uint8Array,
	{ height, width, channels }: ImageSize,
	bits: number,
): Uint8Array {
	const steps = 2 ** bits - 1
	const image = new Uint8Array(pixels.length)
	const rowLength = width * channels
	// One more pixel at both ends of a row takes the errors that fall off the edge.
	let errors = new Float64Array(rowLength + 2 * channels)
	let below = new Float64Array(errors.length)
	for (let row = 0; row < height; row++) {
		for (let i = 0; i < rowLength; i++) {
			const at = i + channels
			const wanted = pixels[row * rowLength + i]! + errors[at]!
			const level = nearest(wanted, steps)
			const error = wanted - level
			image[row * rowLength + i] = toLevel(level)
			errors[at + channels]! += (error * 7) / 16
			below[at - channels]! += (error * 3) / 16
			below[at]! += (error * 5) / 16
			below[at + channels]! += error / 16
		}
		;[errors, below] = [below, errors.fill(0)]
	}
	return image
}

/** The nearest of `steps + 1` levels, not rounded to a whole one. */
function nearest(level: number, steps: number): number {
	return (Math.min(steps, Math.max(0, Math.round((level / 255) * steps))) / steps) * 255
}
