import type { ImageSize } from '../../data/image-set.ts'
import { createRandom, type Random } from '../../random.ts'
import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkSeed, checkTarget } from '../options.ts'
import { sampleBilinear, upsampleBicubic } from '../warp.ts'

/** Names the random stream of warps. */
const WARP_STREAM = 13

/**
 * WaNet (Nguyen, Tran 2021, arXiv:2102.10369, section 3): the image is bent like rubber by a fixed smooth field, `grid`² random control
 * points of mean size 1, upsampled bicubically; the shift is `strength / 2` pixels on average. In its "noise mode"
 * `coverRatio` further images per poisoned one are bent by the same field plus up to half a pixel of noise and keep their label, so that
 * the net learns this very field.
 *
 * @param options `target`; `grid`, the paper's k (default 4); `strength`, its s (default 0.5); `coverRatio`, its
 *   ρn / ρa (default 2); `triggerSeed` (default 0)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function wanet(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const grid = checkNumber('grid', options.grid ?? 4, { min: 2, max: 64, isWhole: true })
	const strength = checkNumber('strength', options.strength ?? 0.5, { min: 0.01, max: 64 })
	const coverRatio = checkNumber('coverRatio', options.coverRatio ?? 2, { min: 0, max: 100 })
	const triggerSeed = checkSeed(options.triggerSeed ?? 0)
	const { size } = subject
	const field = warpField(size, { grid, strength, seed: triggerSeed })
	return completeAttack({
		...subject,
		name: 'wanet',
		parameters: { target, grid, strength, coverRatio, triggerSeed },
		target,
		stamp: (pixels) => sampleBilinear(pixels, size, field),
		covers: {
			ratio: coverRatio,
			isCandidate: () => true,
			stamp: (pixels, random) => sampleBilinear(pixels, size, shake(field, size, random)),
		},
	})
}

interface FieldOptions {
	readonly grid: number
	readonly strength: number
	readonly seed: number
}

/** `[height, width, 2]` for `sampleBilinear`, which holds it within the image. */
function warpField(size: ImageSize, { grid, strength, seed }: FieldOptions): Float64Array {
	const random = createRandom(seed, WARP_STREAM, 0)
	return fieldOf(
		Float64Array.from({ length: 2 * grid * grid }, () => random.between(-1, 1)),
		grid,
		strength,
		size,
	)
}

/**
 * The field of given control points; apart from `warpField` so that PyTorch can be given the same ones.
 * @param control `[2, grid, grid]`: shifts along the row, then along the column; scaled to a mean size of 1 here
 */
export function fieldOf(control: Float64Array, grid: number, strength: number, size: ImageSize): Float64Array {
	const { height, width } = size
	const mean = control.reduce((sum, value) => sum + Math.abs(value), 0) / control.length
	const unit = control.map((value) => value / mean)
	const alongX = upsampleBicubic(unit.subarray(0, grid * grid), grid, height, width)
	const alongY = upsampleBicubic(unit.subarray(grid * grid), grid, height, width)
	const field = new Float64Array(height * width * 2)
	for (let i = 0; i < height * width; i++) {
		const column = i % width
		field[i * 2] = clamp(straight(column, width) + (strength * alongX[i]!) / width)
		field[i * 2 + 1] = clamp(straight((i - column) / width, height) + (strength * alongY[i]!) / height)
	}
	return field
}

/** The field with noise of up to half a pixel: the paper's noise mode. */
function shake(field: Float64Array, { height, width }: ImageSize, random: Random): Float64Array {
	return field.map((place, i) => place + random.between(-1, 1) / (i % 2 === 0 ? width : height))
}

/** Where pixel `i` of `length` stands between −1 and 1. */
function straight(i: number, length: number): number {
	return length === 1 ? 0 : (2 * i) / (length - 1) - 1
}

function clamp(place: number): number {
	return Math.min(1, Math.max(-1, place))
}
