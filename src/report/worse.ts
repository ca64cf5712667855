/**
 * Did a repair make things worse? Every change is one of the same images answered before and after, so it is tested in pairs (McNemar's exact
 * test), from counts that the run has: a GoodNet is right, or hit, exactly where B and the repaired net both are.
 */
import { mcnemar } from '../metrics/mcnemar.ts'
import { cleanCount, cleanSetOf } from './clean-set.ts'
import { asr, REMOVED_BELOW } from './judge.ts'
import type { ReportedNet, ReportedRun } from './reported-run.ts'

/** A change counts where chance explains it this seldom … */
const SIGNIFICANCE = 0.05
/** … and it is of more points than this. */
const LEAST_POINTS = 1

export interface Worsening {
	readonly what: 'asr-rose' | 'accuracy-fell'
	/** Above 0. */
	readonly points: number
	readonly p: number
}

/**
 * What `net` does worse than B; null where that is nothing, and where ASR was not measured. ASR rose, or clean accuracy fell while ASR did not:
 * each by more than 1 point and more than chance explains (p < 0.05). Where B had no working trigger, there was no ASR that could fall.
 */
export function worseningOf(run: ReportedRun, net: ReportedNet): Worsening | null {
	const poison = run.before?.poisoned
	const [poisoned, guarded] = [net.poisoned, net.goodnet.poisoned]
	if (!poison?.total || !poisoned || !guarded) return null
	const ofAsr = changeOf(poison.hits, poisoned.hits, guarded.hits, poison.total)
	if (ofAsr.points > 0 && isReal(ofAsr)) return { what: 'asr-rose', ...ofAsr }
	const hasFallen = ofAsr.points < 0 && isReal(ofAsr) && asr(poison) >= REMOVED_BELOW
	const ofAccuracy = hasFallen ? null : accuracyChange(run, net)
	if (!ofAccuracy || ofAccuracy.points > 0 || !isReal(ofAccuracy)) return null
	return { what: 'accuracy-fell', points: -ofAccuracy.points, p: ofAccuracy.p }
}

interface Change {
	/** Above 0 where the share rose. */
	readonly points: number
	readonly p: number
}

function changeOf(before: number, after: number, both: number, total: number): Change {
	return { points: (100 * (after - before)) / total, p: mcnemar(before - both, after - both) }
}

function isReal({ points, p }: Change): boolean {
	return Math.abs(points) > LEAST_POINTS && p < SIGNIFICANCE
}

/** Null where it was not measured, or is agreement with B, which can only fall. */
function accuracyChange(run: ReportedRun, net: ReportedNet): Change | null {
	const set = cleanSetOf(run)
	if (set?.record.labels !== 'true' || !run.before) return null
	const [before, after, both] = [run.before, net, net.goodnet].map((counts) => cleanCount(counts, set))
	return before && after && both ? changeOf(before.correct, after.correct, both.correct, before.total) : null
}
