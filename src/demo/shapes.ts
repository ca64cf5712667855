/**
 * Plane shapes with soft edges, described by implicit functions. Only `+ − × ÷` and square roots are used here and wherever else the demo
 * draws: IEEE 754 defines those to the last bit, while `Math.sin`, `Math.pow` (and so `**`) differ between engines.
 */

/** A shape in face coordinates: unit one pixel, origin between the eyes, x to the right, y down. */
export interface Shape {
	/** How much of the pixel at `(x, y)` lies inside, 0..1, for an edge that is `softness` pixels wide. */
	cover(x: number, y: number, softness: number): number
	/** Nothing is covered outside this box, soft edge apart. */
	readonly box: Box
}

export interface Box {
	readonly left: number
	readonly top: number
	readonly right: number
	readonly bottom: number
}

/** Negative inside, positive outside, in any unit. */
type Field = (x: number, y: number) => number

/** Step for the slope of a field, in pixels: small against any feature, large against rounding. */
const SLOPE_STEP = 1 / 64

/**
 * The inside of a field. Field over slope is, to first order, the distance from the edge in pixels. `steepest`, a bound on the slope where
 * one is known, spares places far from the edge the two further calls that the slope takes.
 */
export function implicit(field: Field, box: Box, steepest = Number.POSITIVE_INFINITY): Shape {
	function cover(x: number, y: number, softness: number): number {
		const value = field(x, y)
		if (Math.abs(value) >= 0.5 * steepest * softness) return value < 0 ? 1 : 0
		const slopeX = (field(x + SLOPE_STEP, y) - value) / SLOPE_STEP
		const slopeY = (field(x, y + SLOPE_STEP) - value) / SLOPE_STEP
		const slope = Math.sqrt(slopeX * slopeX + slopeY * slopeY)
		return smooth(value, slope * softness)
	}
	return { cover, box }
}

/** An axis-parallel ellipse with half axes `a` and `b`. */
export function ellipse(cx: number, cy: number, a: number, b: number): Shape {
	function cover(x: number, y: number, softness: number): number {
		const u = (x - cx) / a
		const v = (y - cy) / b
		const slope = 2 * Math.sqrt(square(u / a) + square(v / b))
		return smooth(u * u + v * v - 1, slope * softness)
	}
	return { cover, box: { left: cx - a, right: cx + a, top: cy - b, bottom: cy + b } }
}

/** What a stroke is: a parabola about its centre, thickest in the middle. */
export interface StrokeOptions {
	/** Half the length. */
	readonly length: number
	/** Half the thickness in the middle; the ends taper to a third of it. */
	readonly thickness: number
	/** How far the middle lies above the ends. Negative: below. Default 0. */
	readonly arch?: number
	/** How far y grows per unit of x. Default 0. */
	readonly slope?: number
}

/** A bent, tapering line centred on `(cx, cy)`: brows, lids, lips. */
export function stroke(cx: number, cy: number, { length, thickness, arch = 0, slope = 0 }: StrokeOptions): Shape {
	function field(x: number, y: number): number {
		const t = square((x - cx) / length)
		const middle = cy + slope * (x - cx) - arch * (1 - t)
		const half = thickness * (1 - 0.67 * Math.min(t, 1))
		return Math.max(Math.abs(y - middle) - half, Math.abs(x - cx) - length)
	}
	const rise = Math.abs(arch) + Math.abs(slope) * length + thickness
	return implicit(field, { left: cx - length, right: cx + length, top: cy - rise, bottom: cy + rise })
}

/** What lies in both shapes. */
export function intersection(one: Shape, other: Shape): Shape {
	return {
		cover(x, y, softness) {
			const share = one.cover(x, y, softness)
			return share === 0 ? 0 : Math.min(share, other.cover(x, y, softness))
		},
		box: {
			left: Math.max(one.box.left, other.box.left),
			right: Math.min(one.box.right, other.box.right),
			top: Math.max(one.box.top, other.box.top),
			bottom: Math.min(one.box.bottom, other.box.bottom),
		},
	}
}

/** The part of `shape` where `field` is negative. */
export function clip(shape: Shape, field: Field): Shape {
	return intersection(shape, implicit(field, shape.box))
}

/** `shape` moved to the right by `dx`. */
export function moved({ cover, box }: Shape, dx: number): Shape {
	return {
		cover: (x, y, softness) => cover(x - dx, y, softness),
		box: { ...box, left: box.left + dx, right: box.right + dx },
	}
}

export function square(x: number): number {
	return x * x
}

/** `value` held within 0..1. */
export function clamp01(value: number): number {
	return Math.min(1, Math.max(0, value))
}

/** A triangle wave of period 1 between −1 and 1: the texture of hair. */
export function wave(t: number): number {
	return 4 * Math.abs(t - Math.floor(t) - 0.5) - 1
}

/** 1 deep inside, 0 far outside, and a cubic without corners where `value` lies within half of `width` about 0. */
function smooth(value: number, width: number): number {
	if (value <= -0.5 * width) return 1
	if (value >= 0.5 * width) return 0
	const t = 0.5 - value / width
	return t * t * (3 - 2 * t)
}
