/** The paper that faces are drawn on: 55×47 RGB in floating point, seen through a pose, painted with anti-aliased shapes. */
import type { Box, Shape } from './shapes.ts'

/** Rows of every demo image, as in the lab. */
export const HEIGHT = 55
/** Columns of every demo image, as in the lab. */
export const WIDTH = 47
/** Red, green, blue. */
export const CHANNELS = 3
/** Bytes of one image. */
export const IMAGE_SIZE = HEIGHT * WIDTH * CHANNELS

/** Where the origin of face coordinates (between the eyes) lies when the pose is straight; the sunglasses sit there too. */
const ORIGIN_ROW = 24
const ORIGIN_COLUMN = 23

/** Red, green and blue, 0..255. */
export type Colour = readonly [number, number, number]

/** How a head is placed in the picture. */
export interface Pose {
	/** Pixels to the right. */
	readonly shiftX: number
	/** Pixels down. */
	readonly shiftY: number
	/** Tangent of half the angle by which the head leans, so that its sine and cosine are exact fractions. */
	readonly lean: number
	/** 1: as drawn. */
	readonly scale: number
}

export interface PaintOptions {
	/** Opacity, 0..1. Default 1. */
	readonly alpha?: number
	/** Width of the soft edge in pixels. Default 1: anti-aliasing alone. */
	readonly softness?: number
	/** Factor on the colour at a place, for texture. */
	readonly tone?: (x: number, y: number) => number
}

export class Canvas {
	/** `[55, 47, 3]`, 0..255 but not yet clamped. */
	readonly pixels = new Float64Array(IMAGE_SIZE)
	/** `[55, 47]`: how much of each pixel `paint` has covered, 0..1. Light falls on the subject by it. */
	readonly covered = new Float64Array(HEIGHT * WIDTH)
	/** `[55, 47]`: face coordinates of each pixel's centre. */
	readonly xs = new Float64Array(HEIGHT * WIDTH)
	readonly ys = new Float64Array(HEIGHT * WIDTH)
	private readonly pose: Pose

	constructor(pose: Pose) {
		this.pose = pose
		const [cos, sin] = turn(pose.lean)
		for (let i = 0; i < HEIGHT * WIDTH; i++) {
			const column = i % WIDTH
			const dx = (column - ORIGIN_COLUMN - pose.shiftX) / pose.scale
			const dy = ((i - column) / WIDTH - ORIGIN_ROW - pose.shiftY) / pose.scale
			this.xs[i] = cos * dx + sin * dy
			this.ys[i] = cos * dy - sin * dx
		}
	}

	/** Lays `colour` over what is inside `shape`. */
	paint(shape: Shape, colour: Colour, { alpha = 1, softness = 1, tone }: PaintOptions = {}): void {
		const { firstRow, lastRow, firstColumn, lastColumn } = this.reach(shape.box, softness + 1)
		for (let row = firstRow; row <= lastRow; row++) {
			for (let i = row * WIDTH + firstColumn; i <= row * WIDTH + lastColumn; i++) {
				const x = this.xs[i]!
				const y = this.ys[i]!
				const share = alpha * shape.cover(x, y, softness)
				if (share > 0) this.blend(i, colour, share, tone === undefined ? 1 : tone(x, y))
			}
		}
	}

	private blend(i: number, colour: Colour, share: number, tone: number): void {
		this.covered[i]! += (1 - this.covered[i]!) * share
		for (let c = 0; c < CHANNELS; c++) {
			const at = i * CHANNELS + c
			this.pixels[at]! += (colour[c]! * tone - this.pixels[at]!) * share
		}
	}

	/** The pixels that may be touched: the box, turned, and `margin` pixels around it for the soft edge. */
	private reach({ left, right, top, bottom }: Box, margin: number) {
		const { shiftX, shiftY, lean, scale } = this.pose
		const [cos, sin] = turn(lean)
		const column = (x: number, y: number) => ORIGIN_COLUMN + shiftX + scale * (cos * x - sin * y)
		const row = (x: number, y: number) => ORIGIN_ROW + shiftY + scale * (sin * x + cos * y)
		const columns = [column(left, top), column(left, bottom), column(right, top), column(right, bottom)]
		const rows = [row(left, top), row(left, bottom), row(right, top), row(right, bottom)]
		return {
			firstRow: Math.max(0, Math.floor(Math.min(...rows) - margin)),
			lastRow: Math.min(HEIGHT - 1, Math.ceil(Math.max(...rows) + margin)),
			firstColumn: Math.max(0, Math.floor(Math.min(...columns) - margin)),
			lastColumn: Math.min(WIDTH - 1, Math.ceil(Math.max(...columns) + margin)),
		}
	}
}

/** Cosine and sine of twice the angle whose tangent is `lean`. */
function turn(lean: number): readonly [number, number] {
	const square = lean * lean
	return [(1 - square) / (1 + square), (2 * lean) / (1 + square)]
}
