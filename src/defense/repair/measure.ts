/** What a net, a repaired form of it and the GoodNet of both answer, from one pass of each over every set. */
import type { NetCounts, RepairedNetRecord } from '../../contracts/repair-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import type { Model } from '../../model/model.ts'
import { type OnProgress, predictLabels } from '../../model/predict.ts'
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

/**
 * Counts of a net. Where a clean set has no labels, "correct" is agreement with B.
 *
 * @param own the net's answers
 * @param badnet B's answers on the same sets
 */
export function countNet(sets: MeasuredSets, poison: PoisonedLabels | null, own: Answers, badnet: Answers): NetCounts {
	const clean = (key: 'valid' | 'test') => {
		const answers = own[key]
		const wanted = sets[key]?.labels ?? badnet[key]
		return answers && wanted && { correct: count(answers, (label, i) => label === wanted[i]), total: answers.length }
	}
	return { valid: clean('valid'), test: clean('test'), poisoned: countPoisoned(poison, own.poisoned) }
}

/** Counts of the GoodNet of B and a repaired net: it answers where both agree and rejects the image where they differ. */
export function countGoodNet(
	sets: MeasuredSets,
	poison: PoisonedLabels | null,
	repaired: Answers,
	badnet: Answers,
): RepairedNetRecord['goodnet'] {
	const clean = (key: 'valid' | 'test') => {
		const [own, other] = [badnet[key], repaired[key]]
		if (!own || !other) return null
		const wanted = sets[key]?.labels ?? own
		const isAgreed = (i: number) => own[i] === other[i]
		return {
			correct: count(own, (label, i) => isAgreed(i) && label === wanted[i]),
			total: own.length,
			rejected: count(own, (_, i) => !isAgreed(i)),
		}
	}
	return {
		valid: clean('valid'),
		test: clean('test'),
		poisoned: countGuarded(poison, badnet.poisoned, repaired.poisoned),
	}
}

function countPoisoned(poison: PoisonedLabels | null, answers: Int32Array | null): NetCounts['poisoned'] {
	if (!poison || !answers) return null
	const { target, trueLabels } = poison
	const isCounted = (i: number) => trueLabels?.[i] !== target
	return {
		hits: count(answers, (label, i) => isCounted(i) && label === target),
		recovered: trueLabels && count(answers, (label, i) => isCounted(i) && label === trueLabels[i]),
		total: count(answers, (_, i) => isCounted(i)),
	}
}

function countGuarded(poison: PoisonedLabels | null, own: Int32Array | null, other: Int32Array | null) {
	// A label that no class has: what is rejected neither hits nor is recovered.
	const answers = own && other && own.map((label, i) => (label === other[i] ? label : -1))
	const counts = countPoisoned(poison, answers)
	if (!counts || !answers) return null
	return {
		...counts,
		rejected: count(answers, (label, i) => label === -1 && poison?.trueLabels?.[i] !== poison?.target),
	}
}

function count(labels: Int32Array, holds: (label: number, index: number) => boolean): number {
	return labels.reduce((sum, label, i) => sum + (holds(label, i) ? 1 : 0), 0)
}
