/** Bicubic upsampling and bilinear sampling as PyTorch does both with `align_corners=True`, in double precision. */

import type { ImageSize } from '../data/image-set.ts'
import { toLevel } from './additive.ts'

/** Sharpness of PyTorch's cubic kernel (Keys 1981, equation 4, with a = −0.75). */
const A = -0.75

/**
 * `F.interpolate(mode='bicubic', align_corners=True)` of one plane.
 * @param plane `[side, side]`
 * @param side at least 2
 * @returns `[height, width]`
 */
export function upsampleBicubic(plane: Float64Array, side: number, height: number, width: number): Float64Array {
	const rows = cubicTaps(side, height)
	const columns = cubicTaps(side, width)
	const result = new Float64Array(height * width)
	for (const [y, row] of rows.entries()) {
		for (const [x, column] of columns.entries()) {
			let sum = 0
			for (const [i, wy] of row) for (const [j, wx] of column) sum += wy * wx * plane[i * side + j]!
			result[y * width + x] = sum
		}
	}
	return result
}

type Tap = readonly [index: number, weight: number]

/** For each of `length` places the four control points that make it; beyond the edge the last one is repeated. */
function cubicTaps(side: number, length: number): readonly (readonly Tap[])[] {
	return Array.from({ length }, (_, i) => {
		const place = length === 1 ? 0 : (i * (side - 1)) / (length - 1)
		const first = Math.floor(place)
		return [-1, 0, 1, 2].map((step) => {
			const index = Math.min(side - 1, Math.max(0, first + step))
			return [index, cubic(Math.abs(place - first - step))] as const
		})
	})
}

/** Keys' cubic kernel at distance `t`, 0..2. */
function cubic(t: number): number {
	if (t <= 1) return ((A + 2) * t - (A + 3)) * t * t + 1
	return ((A * t - 5 * A) * t + 8 * A) * t - 4 * A
}

/**
 * `F.grid_sample(mode='bilinear', align_corners=True)` of one image, rounded to levels; a new array.
 * @param pixels `[height, width, channels]`
 * @param grid `[height, width, 2]`: where each pixel of the result is taken from, column then row, −1..1 from edge to edge; beyond is
 *   taken as the edge
 */
export function sampleBilinear(
	pixels: Uint8Array,
	{ height, width, channels }: ImageSize,
	grid: Float64Array,
): Uint8Array {
	const image = new Uint8Array(pixels.length)
	for (let i = 0; i < height * width; i++) {
		const x = toPixels(grid[i * 2]!, width)
		const y = toPixels(grid[i * 2 + 1]!, height)
		const [column, row] = [Math.floor(x), Math.floor(y)]
		const [right, down] = [x - column, y - row]
		const here = (row * width + column) * channels
		// At the last column or row the neighbour has no weight, and the pixel itself stands in for it.
		const toRight = column + 1 < width ? channels : 0
		const toBelow = row + 1 < height ? width * channels : 0
		for (let c = here; c < here + channels; c++) {
			const above = pixels[c]! * (1 - right) + pixels[c + toRight]! * right
			const below = pixels[c + toBelow]! * (1 - right) + pixels[c + toBelow + toRight]! * right
			image[i * channels + c - here] = toLevel(above * (1 - down) + below * down)
		}
	}
	return image
}

function toPixels(place: number, length: number): number {
	return ((Math.min(1, Math.max(-1, place)) + 1) / 2) * (length - 1)
}
