/** Where a curve that was flat begins to fall. */
import type { CleanCount, GuardedCleanCount } from '../../contracts/prune-run.ts'
import { mcnemar } from '../../metrics/mcnemar.ts'
import { pointsLost } from '../../metrics/rates.ts'

/** A loss up to this is a price anybody pays, however sure a large set makes us of it. */
const FREE_POINTS = 1

/** The usual level: of nets that are as good as B, one in twenty is called worse. */
const SIGNIFICANCE = 0.05

/**
 * Has a net fallen off the flat part of its curve? It has where it lost more than one point of clean validation accuracy against B, and
 * more than chance explains: McNemar's exact test on the same images, p < 0.05. The *elbow* is the last net before the first that has.
 * Knee finders that look at the shape alone (Kneedle, Satopää et al. 2011) depend on how far the curve is drawn, which says nothing
 * about the net; docs/decisions/012 compares both on real ones.
 *
 * @param baseline B on the validation set
 * @param guarded both nets at once: right where both are
 */
export function hasFallen(baseline: CleanCount, net: CleanCount, guarded: GuardedCleanCount): boolean {
	if (pointsLost(baseline, net) <= FREE_POINTS) return false
	return mcnemar(baseline.correct - guarded.correct, net.correct - guarded.correct) < SIGNIFICANCE
}
