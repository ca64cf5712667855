/** What to say when training leaves the finite numbers. */
import { InputError } from '../errors.ts'
import type { Feed } from '../runtime/runtime.ts'

/** Largest pixel value of a sensible input: 0..255 with some room. What is far above 1 and not scaled makes large steps. */
const LARGE_INPUT = 20

export interface DivergedAt {
	/** Counted from 1. */
	readonly step: number
	readonly epoch: number
	readonly rate: number
	/** Largest absolute value that the model was fed in this step. */
	readonly largestInput: number
}

/** InputError `diverged` that names the step and the likely cause. */
export function divergedAt({ step, epoch, rate, largestInput }: DivergedAt, what: string): InputError {
	const cause =
		largestInput > LARGE_INPUT
			? `inputs reach ${Math.round(largestInput)}, which makes large steps: lower the learning rate, limit the gradient with --clip 1, or take a net whose preprocessing scales pixels to 0..1`
			: 'the learning rate is too high for this net: lower it, or limit the gradient with --clip 1'
	const message = `training diverged: ${what} at step ${step} (epoch ${epoch}) with learning rate ${Number(rate.toPrecision(3))}; ${cause}`
	return new InputError('diverged', message)
}

/** The first array with a NaN or an infinity in it, or null. */
export function firstNotFinite(state: Readonly<Record<string, Feed>>): string | null {
	for (const [name, { data }] of Object.entries(state)) {
		if (!(data as Float32Array).every(Number.isFinite)) return name
	}
	return null
}
