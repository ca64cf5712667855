/** How many triggered images a guard rejects, and how many clean ones: at its threshold, and over all thresholds. */
import type { AurocRecord } from '../../contracts/guard-run.ts'
import type { GuardedCleanCount, GuardedPoisonedCount } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { auroc } from '../../metrics/auroc.ts'
import type { Model } from '../../model/model.ts'
import type { RunOptions } from '../../model/predict.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'
import { type GuardAnswers, guardAnswers } from './answers.ts'

/** Sets to measure on; neither chooses anything. */
export interface GuardSets {
	/** With labels or without: then correct means "B's answer stood". */
	readonly clean?: ImageSet | undefined
	readonly poisoned?: ImageSet | undefined
	/** The attacker's label, where `poisoned` does not tell it by having this one label only. */
	readonly target?: number | undefined
}

/** False rejections are the rejected of `clean`, true ones those of `poisoned`. */
export interface GuardMeasures {
	readonly clean: GuardedCleanCount | null
	/** Images whose true class is the target are left out, where true classes are known. */
	readonly poisoned: GuardedPoisonedCount | null
	/** Null without both sets. */
	readonly auroc: Omit<AurocRecord, 'clean'> | null
}

/**
 * Measures a guarded net, made here or loaded from its file.
 *
 * @param options `onProgress` counts images of both sets together
 * @throws InputError `no-suspicion`, `label-out-of-range`, `no-target`, `empty-set`; InterruptedError
 */
export async function evaluateGuard(
	model: Model,
	{ clean, poisoned, target }: GuardSets,
	{ signal, onProgress }: RunOptions = {},
): Promise<GuardMeasures> {
	if (clean) checkLabels(clean, model.classes)
	const known = poisoned ? checkPoisoned(poisoned, model.classes, target) : null
	const total = (clean?.count ?? 0) + (poisoned?.count ?? 0)
	const answersOn = (set: ImageSet, before: number) =>
		guardAnswers(model, set, { signal, onProgress: (done) => onProgress?.(before + done, total) })
	const onClean = clean ? await answersOn(clean, 0) : null
	const onPoisoned = poisoned ? await answersOn(poisoned, clean?.count ?? 0) : null
	const attacked = onPoisoned && known ? attackedOnly(onPoisoned, known) : null
	return {
		clean: onClean && countClean(onClean, clean?.labels ?? null, model.classes),
		poisoned: attacked && known && countPoisoned(attacked, known.target, model.classes),
		auroc: onClean && attacked && aurocRecord(attacked.suspicion, onClean.suspicion),
	}
}

interface AttackedAnswers extends GuardAnswers {
	readonly trueLabels: Int32Array | null
}

/** Without images whose true class already is the target. */
function attackedOnly({ labels, suspicion }: GuardAnswers, { target, trueLabels }: PoisonedLabels): AttackedAnswers {
	const isAttacked = (_: number, i: number) => trueLabels?.[i] !== target
	return {
		labels: labels.filter(isAttacked),
		suspicion: suspicion.filter(isAttacked),
		trueLabels: trueLabels?.filter(isAttacked) ?? null,
	}
}

function countClean({ labels }: GuardAnswers, truth: Int32Array | null, classes: number): GuardedCleanCount {
	const isCorrect = (label: number, i: number) => (truth ? label === truth[i] : label !== classes)
	return {
		correct: labels.filter(isCorrect).length,
		rejected: labels.filter((label) => label === classes).length,
		total: labels.length,
	}
}

function countPoisoned({ labels, trueLabels }: AttackedAnswers, target: number, classes: number): GuardedPoisonedCount {
	return {
		hits: labels.filter((label) => label === target).length,
		recovered: trueLabels && labels.filter((label, i) => label === trueLabels[i]).length,
		rejected: labels.filter((label) => label === classes).length,
		total: labels.length,
	}
}

function aurocRecord(positives: Float32Array, negatives: Float32Array): GuardMeasures['auroc'] {
	const area = auroc(positives, negatives)
	return area && { ...area, negatives: negatives.length, positives: positives.length }
}
