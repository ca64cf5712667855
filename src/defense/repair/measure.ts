/** What a net, a repaired form of it and the GoodNet of both answer, from one pass of each over every set. */
import type { NetCounts, RepairedNetRecord } from '../../contracts/repair-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import type { Model } from '../../model/model.ts'
import { type OnProgress, predictLabels } from '../../model/predict.ts'
import { countClean, countPoisoned } from '../count.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'

/** Sets that are measured and choose nothing, `valid` aside, on which the method has chosen. */
export interface MeasuredSets {
	readonly valid: ImageSet | null
	readonly test: ImageSet | null
	readonly poisoned: ImageSet | null
	/** The attacker's label, where `poisoned` does not tell it by having this one label only. */
	readonly target?: number | undefined
}

export interface MeasureOptions {
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: OnProgress | undefined
}

/** A net's answers on every set, `[images]` each. */
export interface Answers {
	readonly valid: Int32Array | null
	readonly test: Int32Array | null
	readonly poisoned: Int32Array | null
}

/** Runs `model` over every set there is. */
export async function answersOf(
	model: Model,
	sets: MeasuredSets,
	{ signal, onProgress }: MeasureOptions = {},
): Promise<Answers> {
	const total = [sets.valid, sets.test, sets.poisoned].reduce((sum, set) => sum + (set?.count ?? 0), 0)
	let before = 0
	const run = async (set: ImageSet | null) => {
		if (!set) return null
		const labels = await predictLabels(model, set, {
			signal,
			onProgress: (done) => onProgress?.(before + done, total),
		})
		before += set.count
		return labels
	}
	return { valid: await run(sets.valid), test: await run(sets.test), poisoned: await run(sets.poisoned) }
}

/** @throws InputError as `checkLabels` and `checkPoisoned` */
export function checkSets(sets: MeasuredSets, classes: number): PoisonedLabels | null {
	for (const set of [sets.valid, sets.test]) if (set) checkLabels(set, classes)
	return sets.poisoned ? checkPoisoned(sets.poisoned, classes, sets.target) : null
}

/** What no net answers: a GoodNet's "rejected", told apart from every class. */
const REJECTION = -1

/**
 * Counts of a net. Where a clean set has no labels, "correct" is agreement with B.
 *
 * @param own the net's answers
 * @param badnet B's answers on the same sets
 */
export function countNet(sets: MeasuredSets, poison: PoisonedLabels | null, own: Answers, badnet: Answers): NetCounts {
	const { valid, test, poisoned } = countAll(sets, poison, own, badnet)
	const plain = <Count extends { readonly rejected: number }>(count: Count | null) => {
		if (count === null) return null
		const { rejected: _, ...rest } = count
		return rest
	}
	return { valid: plain(valid), test: plain(test), poisoned: plain(poisoned) }
}

/** Counts of the GoodNet of B and a repaired net: it answers where both agree and rejects the image where they differ. */
export function countGoodNet(
	sets: MeasuredSets,
	poison: PoisonedLabels | null,
	repaired: Answers,
	badnet: Answers,
): RepairedNetRecord['goodnet'] {
	const agreed = (key: keyof Answers) =>
		badnet[key]?.map((label, i) => (label === repaired[key]?.[i] ? label : REJECTION)) ?? null
	const answers = { valid: agreed('valid'), test: agreed('test'), poisoned: agreed('poisoned') }
	return countAll(sets, poison, answers, badnet)
}

function countAll(
	sets: MeasuredSets,
	poison: PoisonedLabels | null,
	answers: Answers,
	badnet: Answers,
): RepairedNetRecord['goodnet'] {
	const clean = (key: 'valid' | 'test') => {
		const [own, wanted] = [answers[key], sets[key]?.labels ?? badnet[key]]
		return own && wanted && countClean(own, wanted, REJECTION)
	}
	const { poisoned } = answers
	return {
		valid: clean('valid'),
		test: clean('test'),
		poisoned: poison && poisoned && countPoisoned(poisoned, poison, REJECTION),
	}
}
