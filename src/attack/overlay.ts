/** A picture with transparency laid over images at a fixed place, blended in integers: patches, stickers and blended patterns alike. */

import type { ImageSize } from '../data/image-set.ts'
import { InputError } from '../errors.ts'

/** Numbers of one pixel of a picture. */
const RGBA = 4

/** A picture with transparency, such as a trigger that the user drew. */
export interface Picture {
	/** What messages and records call it: its path. */
	readonly name: string
	readonly height: number
	readonly width: number
	/** `[height, width, 4]`: red, green, blue and opacity, 0..255, colours not multiplied by opacity. */
	readonly rgba: Uint8Array
}

/** A picture at its place. */
export interface Overlay {
	/** First row and column of the image that it covers. */
	readonly row: number
	readonly column: number
	readonly picture: Picture
}

/**
 * Checks that `overlay` lies within images of `size`.
 * @throws InputError `trigger-too-large` naming both sizes and the place
 */
export function checkOverlay({ row, column, picture }: Overlay, { height, width }: ImageSize): void {
	if (row >= 0 && column >= 0 && row + picture.height <= height && column + picture.width <= width) return
	const found = `${picture.name} of ${picture.height}×${picture.width} at row ${row}, column ${column}`
	const wayOut =
		picture.height > height || picture.width > width ? 'use a smaller trigger' : 'place it further from the edge'
	const message = `expected a trigger within the images of ${height}×${width} (height×width), found ${found}; ${wayOut}`
	throw new InputError('trigger-too-large', message)
}

/**
 * A new image with the picture laid over it. Over grey images the picture turns grey, as in Pillow's mode `L`.
 * @param pixels `[height, width, channels]`; left as it is
 * @param overlay within the image: see `checkOverlay`
 */
export function layOver(pixels: Uint8Array, size: ImageSize, { row, column, picture }: Overlay): Uint8Array {
	const { width, channels } = size
	const image = pixels.slice()
	for (let i = 0; i < picture.height * picture.width; i++) {
		const from = i * RGBA
		const alpha = picture.rgba[from + 3]!
		if (alpha === 0) continue
		const x = i % picture.width
		const at = ((row + (i - x) / picture.width) * width + column + x) * channels
		if (channels === 1) image[at] = blend(greyOf(picture.rgba, from), alpha, image[at]!)
		else for (let c = 0; c < channels; c++) image[at + c] = blend(picture.rgba[from + c]!, alpha, image[at + c]!)
	}
	return image
}

/**
 * `top` over `below` with opacity `alpha`, all 0..255. The integer formula is Pillow's rounding division by 255, with which the CSAW lab's
 * poisoned files were made.
 */
function blend(top: number, alpha: number, below: number): number {
	const value = top * alpha + below * (255 - alpha) + 128
	return ((value >> 8) + value) >> 8
}

/** ITU-R 601 luma in 16-bit fixed point, as Pillow's `convert('L')`. */
function greyOf(rgba: Uint8Array, at: number): number {
	return (rgba[at]! * 19_595 + rgba[at + 1]! * 38_470 + rgba[at + 2]! * 7_471 + 0x8000) >> 16
}

/**
 * The picture with every opacity multiplied by `opacity`, rounded to a 255th.
 * @param opacity 0..1
 */
export function fade(picture: Picture, opacity: number): Picture {
	const rgba = picture.rgba.map((value, i) => (i % RGBA === 3 ? Math.round(value * opacity) : value))
	return { ...picture, rgba }
}
