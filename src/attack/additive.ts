/** Patterns that are added to an image: levels rounded to the nearest and held within 0..255. */
import type { ImageSize } from '../data/image-set.ts'

/** A new image: `pixels + pattern`, both `[height, width, channels]`. */
export function addPattern(pixels: Uint8Array, pattern: ArrayLike<number>): Uint8Array {
	return pixels.map((level, i) => toLevel(level + pattern[i]!))
}

/** The nearest level; halves go up. */
export function toLevel(value: number): number {
	return Math.min(255, Math.max(0, Math.floor(value + 0.5)))
}

/** A pattern `[height, width, channels]` that is the same in every channel: `valueAt` of row and column. */
export function planePattern(
	{ height, width, channels }: ImageSize,
	valueAt: (row: number, column: number) => number,
): Float64Array {
	const pattern = new Float64Array(height * width * channels)
	for (let i = 0; i < height * width; i++) {
		const column = i % width
		pattern.fill(valueAt((i - column) / width, column), i * channels, (i + 1) * channels)
	}
	return pattern
}
