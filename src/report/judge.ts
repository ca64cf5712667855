/** Did the repair work? The judgement alone, by counts; `verdict.ts` puts it into words. */
import type { PoisonedCount, PruneRun, RepairedRecord, StepRecord } from '../contracts/prune-run.ts'
import { wilson } from '../metrics/interval.ts'
import { pointsLost } from '../metrics/rates.ts'
import { baselineOf, cleanCount, cleanSetOf } from './clean-set.ts'

/** A trigger counts as removed where the upper end of ASR's 95 % interval lies below this. */
const REMOVED_BELOW = 0.05

/** A trigger counts as weakened where it works at most this share as often as on B. */
const WEAKENED_TO = 0.5

/** A repair that costs more points of clean accuracy than this is not called one without saying so. */
const HIGH_PRICE_POINTS = 10

/** A repaired net whose ASR was measured. */
export type MeasuredRecord = RepairedRecord & { readonly poisoned: PoisonedCount }

/** What came out where ASR was measured and B had a trigger to remove. */
export type MeasuredOutcome = 'repaired' | 'repaired-dearly' | 'too-few-images' | 'weakened' | 'not-repaired'

/** The judgement on a run and the repaired net that it rests on. */
export type Judgement =
	| { readonly outcome: MeasuredOutcome; readonly record: MeasuredRecord }
	| { readonly outcome: 'no-trigger'; readonly record: MeasuredRecord; readonly before: PoisonedCount }
	| { readonly outcome: 'not-measured'; readonly record: RepairedRecord }
	| { readonly outcome: 'nothing-pruned'; readonly record: null }

/**
 * Judges a run by its cheapest repaired net that removes the trigger, else by the one that weakens it most (of equals the one that
 * gave up most); where ASR was not measured, by the one that gave up most.
 */
export function judge(run: PruneRun): Judgement {
	const records = run.repaired.toSorted((a, b) => a.pruned - b.pruned)
	const last = records.at(-1)
	if (!last) return { outcome: 'nothing-pruned', record: null }

	const record = decisiveRecord(records.filter(isMeasured))
	if (!record) return { outcome: 'not-measured', record: last }

	const before = baselineOf(run)?.poisoned
	if (before && asr(before) < REMOVED_BELOW) return { outcome: 'no-trigger', record, before }
	return { outcome: measuredOutcome(run, record, before ? asr(before) : 1), record }
}

function isMeasured(record: RepairedRecord): record is MeasuredRecord {
	return record.poisoned !== null && record.poisoned.total > 0
}

function decisiveRecord(records: readonly MeasuredRecord[]): MeasuredRecord | undefined {
	return (
		records.find(({ poisoned }) => isRemoved(poisoned)) ??
		records.find(({ poisoned }) => asr(poisoned) < REMOVED_BELOW) ??
		records.toSorted((a, b) => asr(a.poisoned) - asr(b.poisoned) || b.pruned - a.pruned)[0]
	)
}

function measuredOutcome(run: PruneRun, record: MeasuredRecord, asrBefore: number): MeasuredOutcome {
	const after = asr(record.poisoned)
	if (isRemoved(record.poisoned))
		return (priceOf(run, record) ?? 0) > HIGH_PRICE_POINTS ? 'repaired-dearly' : 'repaired'
	if (after < REMOVED_BELOW) return 'too-few-images'
	return after <= WEAKENED_TO * asrBefore ? 'weakened' : 'not-repaired'
}

function asr({ hits, total }: PoisonedCount): number {
	return hits / total
}

/** Whether ASR is below 5 % beyond doubt. */
function isRemoved({ hits, total }: PoisonedCount): boolean {
	return (wilson(hits, total)?.high ?? 1) < REMOVED_BELOW
}

/** Points of clean accuracy that a net costs on the report's clean set, null where it was not measured. */
export function priceOf(run: PruneRun, net: Pick<StepRecord, 'valid' | 'test'>): number | null {
	const set = cleanSetOf(run)
	const baseline = baselineOf(run)
	const before = baseline && cleanCount(baseline, set)
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
	return removing.toSorted((a, b) => (priceOf(run, a) ?? 0) - (priceOf(run, b) ?? 0))[0] ?? null
}
