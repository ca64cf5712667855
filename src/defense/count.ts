/** Counts of answers: the one place that says what is correct, a hit, recovered, and rejected. */
import type { GuardedCleanCount, GuardedPoisonedCount } from '../contracts/prune-run.ts'
import type { PoisonedLabels } from './labels.ts'

/**
 * @param answers one label an image
 * @param wanted of the same images
 * @param rejection the answer that means "rejected"; it is never correct
 */
export function countClean(answers: Int32Array, wanted: Int32Array, rejection: number): GuardedCleanCount {
	return {
		correct: countWhere(answers, (label, i) => label !== rejection && label === wanted[i]),
		total: answers.length,
		rejected: countWhere(answers, (label) => label === rejection),
	}
}

/** Images whose true class already is the target are left out, where true classes are known; see `countClean` for the rest. */
export function countPoisoned(
	answers: Int32Array,
	{ target, trueLabels }: PoisonedLabels,
	rejection: number,
): GuardedPoisonedCount {
	const isCounted = (i: number) => trueLabels?.[i] !== target
	return {
		hits: countWhere(answers, (label, i) => isCounted(i) && label === target),
		recovered: trueLabels && countWhere(answers, (label, i) => isCounted(i) && label === trueLabels[i]),
		total: countWhere(answers, (_, i) => isCounted(i)),
		rejected: countWhere(answers, (label, i) => isCounted(i) && label === rejection),
	}
}

function countWhere(labels: Int32Array, holds: (label: number, index: number) => boolean): number {
	return labels.reduce((sum, label, i) => sum + (holds(label, i) ? 1 : 0), 0)
}
