/** Where a guard rejects, chosen on clean validation images alone. */
import type { ThresholdRecord } from '../../contracts/guard-run.ts'
import { InputError, UsageError } from '../../errors.ts'
import { wilson } from '../../metrics/interval.ts'
import { countWithin } from '../../metrics/rates.ts'

/** The false rejection rate asked for where nobody says, in points. */
export const DEFAULT_FALSE_REJECTION_RATE = 1

/** @throws UsageError `bad-frr` unless `points` is above 0 and below 100 */
export function checkFalseRejectionRate(points: number): void {
	if (points > 0 && points < 100) return
	throw new UsageError('bad-frr', `a false rejection rate is in points above 0 and below 100, found ${points}`)
}

/**
 * The smallest threshold that rejects at most `points` percent of the clean validation images, counted in integers: the (r+1)-th highest
 * score, where r images may be rejected. Equal scores are rejected together or not at all, so fewer may be.
 *
 * New clean images are rejected a little more often than these, which chose it: (r+1)/(n+1) of them in the mean. The record's interval says how
 * sure the counts are, and `leastProvable` what n images could promise at best.
 *
 * @param scores of clean validation images, `[N]`
 * @param points the false rejection rate asked for
 * @param highest the highest score that there can be
 * @throws UsageError `bad-frr`; InputError `empty-set`, `not-finite`
 */
export function thresholdFor(
	scores: Float32Array,
	points: number,
	highest = Number.POSITIVE_INFINITY,
): ThresholdRecord {
	checkFalseRejectionRate(points)
	checkScores(scores)
	const sorted = scores.toSorted()
	const value = sorted[sorted.length - 1 - countWithin(points, sorted.length)]!
	return recordOf({ value, chosenBy: 'false-rejection-rate', asked: points }, scores, highest)
}

/** What the threshold `value`, which nothing chose, costs on the same images. @throws as `thresholdFor` */
export function fixedThreshold(
	value: number,
	scores: Float32Array,
	points: number,
	highest = Number.POSITIVE_INFINITY,
): ThresholdRecord {
	checkFalseRejectionRate(points)
	checkScores(scores)
	return recordOf({ value, chosenBy: 'fixed', asked: points }, scores, highest)
}

function checkScores(scores: Float32Array): void {
	if (scores.length === 0) {
		throw new InputError('empty-set', 'expected clean validation images to choose a threshold on, found none')
	}
	if (scores.every(Number.isFinite)) return
	throw new InputError('not-finite', 'the net answers clean validation images with NaN or infinity; no threshold fits')
}

function recordOf(
	chosen: Pick<ThresholdRecord, 'value' | 'chosenBy' | 'asked'>,
	scores: Float32Array,
	highest: number,
): ThresholdRecord {
	const total = scores.length
	const rejected = scores.reduce((count, score) => count + (score > chosen.value ? 1 : 0), 0)
	const { low, high } = wilson(rejected, total)! // there are images
	return {
		...chosen,
		valid: { rejected, total },
		interval: { low, high },
		leastProvable: wilson(0, total)!.high,
		rejectsNothing: chosen.value >= highest,
	}
}
