/** Where trigger inversion starts: anywhere, within a part of the image, or at a trigger that is known. */
import type { Model } from '../../model/model.ts'
import type { Random } from '../../random.ts'
import type { Feed } from '../../runtime/runtime.ts'
import { MASK, PATTERN } from './inversion-problem.ts'
import { maskDims, patternDims, toInputOrder } from './planes.ts'
import type { Trigger } from './trigger.ts'

/** Where the mask starts, before its tanh: about 0.12 everywhere. The authors' starts anywhere in 0..1 and needs longer to shrink. */
const MASK_START = -1
const SPREAD = 0.15
/** And outside the region that it is to start within: about 1e-4, from where it can still grow. */
const OUTSIDE = -4.5
/** A mask that starts from a known trigger stays so far from 0 and 1, where tanh has no slope. */
const EDGE = 0.02

/** A part of an image, in pixels. */
export interface Region {
	readonly row: number
	readonly column: number
	readonly height: number
	readonly width: number
}

export interface Start {
	/** A trigger to start from, of the net's input size. Default: a faint random one. */
	readonly start?: Trigger
	/** Where the mask of a random start is not nearly zero. Default: everywhere. */
	readonly region?: Region
}

/** Share of height and width that a quarter covers: neighbours overlap, so that a trigger in the middle lies within one. */
const QUARTER = 0.55

/** Four regions that cover an image of the size together, one from each corner. */
export function quarters({ height, width }: { readonly height: number; readonly width: number }): readonly Region[] {
	const tall = Math.ceil(height * QUARTER)
	const wide = Math.ceil(width * QUARTER)
	return [0, height - tall].flatMap((row) =>
		[0, width - wide].map((column) => ({ row, column, height: tall, width: wide })),
	)
}

/** Masks and patterns before their tanh, one for each of `starts`. */
export function startOf(model: Model, random: Random, starts: readonly Start[]): Record<string, Feed> {
	const { input } = model
	const masks = starts.map((start) => maskOf(model, random, start))
	const patterns = starts.map((start) => patternOf(model, random, start))
	return {
		[MASK]: { dims: maskDims(input, starts.length), data: joined(masks) },
		[PATTERN]: { dims: patternDims(input, starts.length), data: joined(patterns) },
	}
}

function maskOf({ input: { height, width } }: Model, random: Random, { start, region }: Start): Float32Array {
	if (start) return start.mask.map((value) => Math.atanh(2 * clamp(value) - 1))
	return Float32Array.from({ length: height * width }, (_, i) => {
		const value = random.between(MASK_START - SPREAD, MASK_START + SPREAD)
		return !region || isWithin(region, Math.floor(i / width), i % width) ? value : OUTSIDE
	})
}

function isWithin(region: Region, row: number, column: number): boolean {
	const [down, right] = [row - region.row, column - region.column]
	return down >= 0 && down < region.height && right >= 0 && right < region.width
}

function patternOf({ input, preprocessing }: Model, random: Random, { start }: Start): Float32Array {
	const { height, width, channels } = input
	if (!start) return Float32Array.from({ length: height * width * channels }, () => random.between(-1, 1))
	return toInputOrder(start.pattern, input, preprocessing).map((value) => Math.atanh(2 * clamp(value / 255) - 1))
}

function clamp(share: number): number {
	return Math.min(1 - EDGE, Math.max(EDGE, share))
}

function joined(parts: readonly Float32Array[]): Float32Array {
	const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
	let offset = 0
	for (const part of parts) {
		all.set(part, offset)
		offset += part.length
	}
	return all
}
