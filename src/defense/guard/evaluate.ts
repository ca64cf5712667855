/** How many triggered images a guard rejects, and how many clean ones: at its threshold, and over all thresholds. */
import type { AurocRecord } from '../../contracts/guard-run.ts'
import type { GuardedCleanCount, GuardedPoisonedCount } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { auroc } from '../../metrics/auroc.ts'
import type { Model } from '../../model/model.ts'
import type { RunOptions } from '../../model/predict.ts'
import { countClean, countPoisoned } from '../count.ts'
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
	return {
		// Without labels, correct is what is answered at all.
		clean: onClean && countClean(onClean.labels, clean?.labels ?? onClean.labels, model.classes),
		poisoned: onPoisoned && known && countPoisoned(onPoisoned.labels, known, model.classes),
		auroc: onClean && onPoisoned && known && aurocRecord(attackedOnly(onPoisoned, known), onClean.suspicion),
	}
}

/** Scores of the images whose true class is not the target already. */
function attackedOnly({ suspicion }: GuardAnswers, { target, trueLabels }: PoisonedLabels): Float32Array {
	return suspicion.filter((_, i) => trueLabels?.[i] !== target)
}

function aurocRecord(positives: Float32Array, negatives: Float32Array): GuardMeasures['auroc'] {
	const area = auroc(positives, negatives)
	return area && { ...area, negatives: negatives.length, positives: positives.length }
}
