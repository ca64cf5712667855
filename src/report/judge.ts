/** Did the repair work? The judgement alone, by counts; `verdict.ts` puts it into words. */
import type { PoisonedCount, PruneRun, StepRecord } from '../contracts/prune-run.ts'
import { wilson } from '../metrics/interval.ts'
import { pointsLost } from '../metrics/rates.ts'
import { cleanCount, cleanSetOf } from './clean-set.ts'
import { type ReportedNet, type ReportedRun, reportedRun } from './reported-run.ts'

/** A trigger counts as removed where the upper end of ASR's 95 % interval lies below this. */
export const REMOVED_BELOW = 0.05

/** A trigger counts as weakened where it works at most this share as often as on B. */
const WEAKENED_TO = 0.5

/** A repair that costs more points of clean accuracy than this is not called one without saying so. */
const HIGH_PRICE_POINTS = 10

/** A repaired net whose ASR was measured. */
export type MeasuredNet = ReportedNet & { readonly poisoned: PoisonedCount }

/** What came out where ASR was measured and B had a trigger to remove. */
export type MeasuredOutcome = 'repaired' | 'repaired-dearly' | 'too-few-images' | 'weakened' | 'not-repaired'

/** The judgement on a run and the repaired net that it rests on. */
export type Judgement =
	| { readonly outcome: MeasuredOutcome; readonly net: MeasuredNet }
	| { readonly outcome: 'no-trigger'; readonly net: MeasuredNet; readonly before: PoisonedCount }
	| { readonly outcome: 'not-measured'; readonly net: ReportedNet }
	| { readonly outcome: 'nothing-repaired'; readonly net: null }

/**
 * Judges a run by its cheapest repaired net that removes the trigger, else by the one that weakens it most (of equals the one that
 * gave up most); where ASR was not measured, by the one that gave up most.
 */
export function judge(run: ReportedRun): Judgement {
	const nets = run.nets.toSorted((a, b) => a.strength - b.strength)
	const last = nets.at(-1)
	if (!last) return { outcome: 'nothing-repaired', net: null }

	const net = decisiveNet(nets.filter(isMeasured))
	if (!net) return { outcome: 'not-measured', net: last }

	const before = run.before?.poisoned
	if (before && asr(before) < REMOVED_BELOW) return { outcome: 'no-trigger', net, before }
	return { outcome: measuredOutcome(run, net, before ? asr(before) : 1), net }
}

function isMeasured(net: ReportedNet): net is MeasuredNet {
	return net.poisoned !== null && net.poisoned.total > 0
}

function decisiveNet(nets: readonly MeasuredNet[]): MeasuredNet | undefined {
	return (
		nets.find(({ poisoned }) => isRemoved(poisoned)) ??
		nets.find(({ poisoned }) => asr(poisoned) < REMOVED_BELOW) ??
		nets.toSorted((a, b) => asr(a.poisoned) - asr(b.poisoned) || b.strength - a.strength)[0]
	)
}

function measuredOutcome(run: ReportedRun, net: MeasuredNet, asrBefore: number): MeasuredOutcome {
	const after = asr(net.poisoned)
	if (isRemoved(net.poisoned)) return (priceOf(run, net) ?? 0) > HIGH_PRICE_POINTS ? 'repaired-dearly' : 'repaired'
	if (after < REMOVED_BELOW) return 'too-few-images'
	return after <= WEAKENED_TO * asrBefore ? 'weakened' : 'not-repaired'
}

export function asr({ hits, total }: PoisonedCount): number {
	return hits / total
}

/** Whether ASR is below 5 % beyond doubt. */
function isRemoved({ hits, total }: PoisonedCount): boolean {
	return (wilson(hits, total)?.high ?? 1) < REMOVED_BELOW
}

/** Points of clean accuracy that a net costs on the report's clean set, null where it was not measured. */
export function priceOf(run: ReportedRun, net: Pick<StepRecord, 'valid' | 'test'>): number | null {
	const set = cleanSetOf(run)
	const before = run.before && cleanCount(run.before, set)
	const after = cleanCount(net, set)
	return before && after ? pointsLost(before, after) : null
}

/**
 * The cheapest net of the whole sweep that removes the trigger; null where none does, undefined where ASR was not measured along the
 * sweep. Finding it takes knowledge of the trigger: whoever shows it says `oracle`.
 */
export function cheapestRemoval(run: PruneRun): StepRecord | null | undefined {
	const measured = run.steps.filter(({ pruned, poisoned }) => pruned > 0 && poisoned !== null && poisoned.total > 0)
	if (measured.length === 0) return undefined
	const removing = measured.filter(({ poisoned }) => poisoned !== null && isRemoved(poisoned))
	const reported = reportedRun(run)
	return removing.toSorted((a, b) => (priceOf(reported, a) ?? 0) - (priceOf(reported, b) ?? 0))[0] ?? null
}
