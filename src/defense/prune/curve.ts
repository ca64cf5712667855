/** The curve of a pruning order: nets with more and more channels pruned, what each answers, and which of them are taken. */
import type { ChosenBy, PruneRun, RankingRecord, RepairedRecord, StepRecord } from '../../contracts/prune-run.ts'
import { InputError, UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import type { PoisonedLabels } from '../labels.ts'
import type { PruneLayer } from './layer.ts'

/** A net of the curve and what it was chosen by. */
export interface Choice {
	readonly chosenBy: ChosenBy
	/** Points, where chosen by a drop. */
	readonly drop: number | null
	/** Standard deviations, where chosen by a threshold. */
	readonly u: number | null
	/** Channels pruned, counted from the front of the order. */
	readonly pruned: number
}

/** What a net answers on each set, and what the GoodNet of B and it does. */
export type NetCounts = Pick<RepairedRecord, 'valid' | 'test' | 'poisoned' | 'goodnet'>

/** What every run of the defense finds out, on one layer or on many. */
export interface Curve {
	readonly model: Model
	/** One, or those of a run across layers; their channels are numbered through. */
	readonly layers: readonly PruneLayer[]
	/** Channel or unit numbers, first pruned first. */
	readonly order: readonly number[]
	/** Null where the order was given. */
	readonly ranking: RankingRecord | null
	/** Mean activation by channel number; null across layers. */
	readonly meanActivation: readonly number[] | null
	/** The nets that were measured, least pruned first; the first is the net as it came. */
	readonly steps: readonly StepRecord[]
	readonly poisonedLabels: PoisonedLabels | null
	/** The nets to hand out. */
	readonly choices: readonly Choice[]
	/** Drops that no net of the curve reached. */
	readonly notReached: readonly number[]
	/** See `PruneRun`. */
	readonly elbow: PruneRun['elbow']
	/** Counts of a measured net. */
	countsAt(pruned: number): NetCounts
}

export const DEFAULT_DROPS: readonly number[] = [2, 4, 10]

/** The drops to look for, each once. @throws UsageError `bad-drops` */
export function checkDrops(drops: readonly number[] = DEFAULT_DROPS): number[] {
	const bad = drops.find((drop) => !(drop > 0 && drop <= 100))
	if (bad !== undefined) throw new UsageError('bad-drops', `drops are points above 0 and at most 100; found ${bad}`)
	return [...new Set(drops)]
}

/**
 * How many channels exceed a threshold.
 *
 * @param scores standard scores
 * @throws InputError `nothing-above-threshold` where none does: the net would come back untouched
 */
export function countAbove(scores: readonly number[], u: number, path: string): number {
	const count = scores.filter((score) => score > u).length
	if (count > 0) return count
	const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY).toFixed(2)
	const message = `${path}: no channel lies more than ${u} standard deviations above the mean of its layer; the highest lies ${highest}; name a smaller --u`
	throw new InputError('nothing-above-threshold', message, { path })
}

/** The net chosen by a drop, the elbow or the threshold. @throws InputError `not-reached` */
export function findChoice({ choices }: Pick<Curve, 'choices'>, which: number | 'elbow' | 'threshold'): Choice {
	const found = choices.find(({ chosenBy, drop }) => (typeof which === 'number' ? drop === which : chosenBy === which))
	if (found) return found
	const message =
		typeof which === 'number'
			? `no net of this sweep lies ${which} points below the baseline`
			: `this sweep has no net chosen by ${which === 'elbow' ? 'the elbow' : 'a threshold'}`
	throw new InputError('not-reached', message)
}
