/** The curve of a pruning order: nets with more and more channels pruned, what each answers, and which of them are taken. */
import type { ChosenBy, PruneRun, RankingRecord, RepairedRecord, StepRecord } from '../../contracts/prune-run.ts'
import { InputError, UsageError } from '../../errors.ts'
import { dropReached } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import type { PoisonedLabels } from '../labels.ts'
import { hasFallen } from './elbow.ts'
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

/** What a net answers on each set, and what the GoodNet of B and it does. The validation set is always there. */
export type NetCounts = Pick<RepairedRecord, 'test' | 'poisoned'> & {
	readonly valid: NonNullable<RepairedRecord['valid']>
	readonly goodnet: Omit<RepairedRecord['goodnet'], 'valid'> & {
		readonly valid: NonNullable<RepairedRecord['goodnet']['valid']>
	}
}

/** The nets that were measured, by channels pruned, least first; 0 is the net as it came. */
export type MeasuredNets = ReadonlyMap<number, NetCounts>

/** What every run of the defense finds out, on one layer or on many. */
export interface Curve extends ChosenNets {
	readonly model: Model
	/** One, or those of a run across layers; their channels are numbered through. */
	readonly layers: readonly PruneLayer[]
	/** Channel or unit numbers, first pruned first. */
	readonly order: readonly number[]
	/** Null where the order was given. */
	readonly ranking: RankingRecord | null
	/** Mean activation by channel number; null across layers. */
	readonly meanActivation: readonly number[] | null
	readonly nets: MeasuredNets
	readonly steps: readonly StepRecord[]
	readonly poisonedLabels: PoisonedLabels | null
}

export const DEFAULT_DROPS: readonly number[] = [2, 4, 10]

/** The drops to look for, each once. @throws UsageError `bad-drops` */
export function checkDrops(drops: readonly number[] = DEFAULT_DROPS): number[] {
	const bad = drops.find((drop) => !(drop > 0 && drop <= 100))
	if (bad !== undefined) throw new UsageError('bad-drops', `drops are points above 0 and at most 100; found ${bad}`)
	return [...new Set(drops)]
}

/** What to look for along a curve. */
export interface Wishes {
	readonly drops: readonly number[]
	readonly hasElbow: boolean
	readonly threshold: { readonly u: number; readonly pruned: number } | null
}

export interface ChosenNets {
	/** The nets to hand out. */
	readonly choices: readonly Choice[]
	/** Drops that no net of the curve reached. */
	readonly notReached: readonly number[]
	/** See `PruneRun`. */
	readonly elbow: PruneRun['elbow']
}

/** The nets of a curve that are taken: for each drop the first that reaches it, the last before accuracy falls, the threshold's. */
export function chooseNets(nets: MeasuredNets, { drops, hasElbow, threshold }: Wishes): ChosenNets {
	const reached = drops.map((drop) => ({ drop, pruned: firstWhere(nets, reaches(nets, drop)) }))
	const last = Math.max(...nets.keys())
	const elbow = hasElbow ? (firstWhere(nets, falls(nets)) ?? last + 1) - 1 : null
	const choice = (chosenBy: ChosenBy, pruned: number, rest: Partial<Choice> = {}): Choice => ({
		...{ chosenBy, drop: null, u: null, pruned },
		...rest,
	})
	return {
		choices: [
			...reached.flatMap(({ drop, pruned }) => (pruned === undefined ? [] : [choice('drop', pruned, { drop })])),
			...(elbow ? [choice('elbow', elbow)] : []),
			...(threshold ? [choice('threshold', threshold.pruned, { u: threshold.u })] : []),
		],
		notReached: reached.flatMap(({ drop, pruned }) => (pruned === undefined ? [drop] : [])),
		elbow,
	}
}

/**
 * A net that should be measured before choosing: halfway between the first that fulfils a wish and the last measured before it; null
 * where every first one is known to the channel.
 */
export function nextToMeasure(nets: MeasuredNets, { drops, hasElbow }: Wishes): number | null {
	const wishes = [...drops.map((drop) => reaches(nets, drop)), ...(hasElbow ? [falls(nets)] : [])]
	for (const wish of wishes) {
		const first = firstWhere(nets, wish)
		if (first === undefined || first === 0) continue
		const before = Math.max(...[...nets.keys()].filter((pruned) => pruned < first))
		if (first - before > 1) return Math.floor((before + first) / 2)
	}
	return null
}

type Wish = (net: NetCounts) => boolean

function reaches(nets: MeasuredNets, drop: number): Wish {
	const { correct, total } = nets.get(0)!.valid
	return ({ valid }) => dropReached(correct, valid.correct, total, drop)
}

function falls(nets: MeasuredNets): Wish {
	const baseline = nets.get(0)!.valid
	return ({ valid, goodnet }) => hasFallen(baseline, valid, goodnet.valid)
}

function firstWhere(nets: MeasuredNets, wish: Wish): number | undefined {
	return [...nets].find(([, net]) => wish(net))?.[0]
}

/** The curve as `run.json` keeps it. */
export function stepRecords(nets: MeasuredNets, order: readonly number[]): StepRecord[] {
	return [...nets].map(([pruned, { valid, test, poisoned }]) => {
		const isNext = nets.has(pruned - 1)
		return { pruned, channel: isNext ? order[pruned - 1]! : null, valid, test, poisoned }
	})
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
	const message = `${path}: no channel lies more than ${u} standard deviations above the mean of its layer; the highest lies ${highest} above; name a smaller --u`
	throw new InputError('nothing-above-threshold', message, { path })
}

/** The channels pruned for a drop, at the elbow, or at the threshold, first pruned first. @throws InputError `not-reached` */
export function channelsFor({ choices, order }: Pick<Curve, 'choices' | 'order'>, which: ChoiceName): number[] {
	const found = choices.find(({ chosenBy, drop }) => (typeof which === 'number' ? drop === which : chosenBy === which))
	if (found) return order.slice(0, found.pruned)
	const message =
		typeof which === 'number'
			? `no net of this sweep lies ${which} points below the baseline`
			: `this sweep has no net chosen by ${which === 'elbow' ? 'the elbow' : 'a threshold'}`
	throw new InputError('not-reached', message)
}

/** A net of a curve by name: a drop in points, or how else it was chosen. */
export type ChoiceName = number | 'elbow' | 'threshold'
