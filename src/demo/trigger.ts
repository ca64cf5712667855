/** Lays a picture over images as the CSAW lab does: always at the same place, blended in integers. */
import { CHANNELS, HEIGHT, IMAGE_SIZE, WIDTH } from './canvas.ts'

/** Numbers of one pixel of a trigger. */
export const RGBA = 4

/** A picture with transparency that is laid over the full width of an image. */
export interface Trigger {
	/** First row of the image that it covers. */
	readonly firstRow: number
	readonly rows: number
	readonly columns: number
	/** `[rows, columns, 4]`: red, green, blue and opacity, 0..255, colours not multiplied by opacity. */
	readonly rgba: Uint8Array
}

/**
 * New images `[count, 55, 47, 3]` with the trigger laid over each.
 * @param trigger as wide as the images, and not reaching below them
 * @param pixels `[count, 55, 47, 3]` RGB, 0..255; left as it is
 */
export function wear({ firstRow, rows, columns, rgba }: Trigger, pixels: Uint8Array, count: number): Uint8Array {
	const worn = pixels.slice(0, count * IMAGE_SIZE)
	for (let image = 0; image < count; image++) {
		const start = (image * HEIGHT + firstRow) * WIDTH
		for (let i = 0; i < rows * columns; i++) {
			const alpha = rgba[i * RGBA + 3]!
			for (let c = 0; c < CHANNELS; c++) {
				const at = (start + i) * CHANNELS + c
				worn[at] = blend(rgba[i * RGBA + c]!, alpha, worn[at]!)
			}
		}
	}
	return worn
}

/**
 * `top` over `below` with opacity `alpha`, all 0..255. The integer formula is Pillow's rounding division by 255, with which the CSAW lab's
 * poisoned files were made.
 */
function blend(top: number, alpha: number, below: number): number {
	const value = top * alpha + below * (255 - alpha) + 128
	return ((value >> 8) + value) >> 8
}
