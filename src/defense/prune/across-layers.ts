/**
 * Pruning across layers: channels of the whole net in one order, by a ranking that compares layers. Nothing is left to compute once, for
 * the first layers change as well, so each net of the curve is run whole, on chosen points: every count up to ten channels, then each a
 * fifth more than the last, and between those as many as it takes to know the first net of each drop and the elbow to the channel. The
 * points do not depend on the ranking; curves of different rankings can be laid over each other.
 */
import type { RankingRecord, RankName, StepRecord } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { UnsupportedError, UsageError } from '../../errors.ts'
import { dropReached } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import { predict, predictLabels } from '../../model/predict.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'
import { type Choice, type Curve, checkDrops, countAbove, findChoice, type NetCounts } from './curve.ts'
import { hasFallen } from './elbow.ts'
import type { PruneLayer } from './layer.ts'
import { orderChannels, standardScores } from './rank/order.ts'
import { RANKINGS } from './rank/rankings.ts'
import { scoreLayers } from './rank/score.ts'
import { pruneUnits, type RepairedModel } from './repaired.ts'
import { CleanTally, PoisonedTally } from './tally.ts'

/** Up to here the points lie close; from there on each is this much further than the last. */
const CLOSE_POINTS = 10
const GROWTH = 1.2

export interface AcrossOptions {
	readonly rank: RankName
	/** Points of clean validation accuracy to give up, each > 0 and ≤ 100. Default 2, 4, 10. */
	readonly drops?: readonly number[] | undefined
	/** Also take the net whose channels lie more than `u` standard deviations above the mean of their layer. */
	readonly u?: number | undefined
	/** Of `random`. Default 0. */
	readonly seed?: number | undefined
	/** Measured along the curve, never used to choose. */
	readonly test?: ImageSet | undefined
	/** Measured along the curve, never used to choose. */
	readonly poisoned?: ImageSet | undefined
	/** The attacker's label, where `poisoned` does not tell it by having this one label only. */
	readonly target?: number | undefined
	readonly signal?: AbortSignal | undefined
	/** Images of the ranking's pass, then nets; the total of nets grows where drops and elbow are narrowed down. */
	readonly onProgress?: ((stage: 'activations' | 'nets', done: number, total: number) => void) | undefined
}

/** A curve whose channels are *units*: a layer and a channel of it, numbered through in the order of the net. */
export interface AcrossSweep extends Curve {
	readonly ranking: RankingRecord
	/** The repaired net for a drop, for the elbow, or for the threshold. @throws InputError `not-reached` */
	repaired(which: number | 'elbow' | 'threshold'): RepairedModel
}

/**
 * Runs the defense across layers.
 *
 * @param valid clean images `[N, …]`; without labels, accuracy is agreement with the net as it came
 * @throws UsageError `bad-drops`, `rank-within-layer`; UnsupportedError `rank-does-not-apply`; InputError for data that does not fit,
 *   `nothing-above-threshold`; InterruptedError
 */
export async function pruneAcross(model: Model, valid: ImageSet, options: AcrossOptions): Promise<AcrossSweep> {
	const { test, poisoned, rank, u, signal, onProgress } = options
	const drops = checkDrops(options.drops)
	const labels = poisoned ? checkPoisoned(poisoned, model.classes, options.target) : null
	for (const set of [valid, test]) if (set) checkLabels(set, model.classes)
	const layers = layersAcross(model, rank)
	const { scores, ...ranking } = await rankUnits(model, layers, valid, options)
	const order = orderChannels(scores, ranking.first)
	const threshold = u === undefined ? null : countAbove(scores, u, model.source.path)

	const sets = await openSets(model, { valid, test, poisoned }, labels, signal)
	const curve = new Map<number, NetCounts>()
	const grid = gridUpTo(order.length, threshold)
	const measure = async (pruned: number) => {
		const net = pruneUnits(model, layers, order.slice(0, pruned))
		curve.set(pruned, await countNet(net, sets, signal))
		onProgress?.('nets', curve.size, Math.max(grid.length, curve.size))
	}
	for (const pruned of grid) await measure(pruned)

	const baseline = curve.get(0)!.valid!
	const isBelow = (drop: number) => (net: NetCounts) =>
		dropReached(baseline.correct, net.valid!.correct, baseline.total, drop)
	const isFallen = (net: NetCounts) => hasFallen(baseline, net.valid!, net.goodnet.valid!)
	const { isSuspicion } = RANKINGS[rank]
	await narrow(curve, [...drops.map(isBelow), ...(isSuspicion ? [isFallen] : [])], measure)

	const elbow = isSuspicion ? (firstWhere(curve, isFallen) ?? order.length + 1) - 1 : null
	const reached = drops.map((drop) => ({ drop, pruned: firstWhere(curve, isBelow(drop)) }))
	const choices: Choice[] = [
		...reached.flatMap(({ drop, pruned }) => (pruned ? [{ chosenBy: 'drop' as const, drop, u: null, pruned }] : [])),
		...(elbow ? [{ chosenBy: 'elbow' as const, drop: null, u: null, pruned: elbow }] : []),
		...(threshold && u !== undefined ? [{ chosenBy: 'threshold' as const, drop: null, u, pruned: threshold }] : []),
	]
	return {
		model,
		layers,
		order,
		ranking: { ...ranking, scores },
		meanActivation: null,
		steps: stepRecords(curve, order),
		poisonedLabels: labels,
		choices,
		notReached: reached.flatMap(({ drop, pruned }) => (pruned ? [] : [drop])),
		elbow,
		countsAt: (pruned) => curve.get(pruned)!,
		repaired: (which) => pruneUnits(model, layers, order.slice(0, findChoice({ choices }, which).pruned)),
	}
}

/**
 * The layers that a ranking compares, each silenced where its method does it.
 *
 * @throws UsageError `rank-within-layer` for a ranking that is published for one layer at a time
 * @throws UnsupportedError `rank-does-not-apply` where the net has no such layer
 */
export function layersAcross(model: Model, rank: RankName): PruneLayer[] {
	const { across } = RANKINGS[rank]
	const { path } = model.source
	if (!across) {
		const able = Object.entries(RANKINGS).flatMap(([name, ranking]) => (ranking.across ? [name] : []))
		const message = `${rank} ranks the channels of one layer, and has no published rule to compare layers; name one with --layer, or rank by ${able.join(', ')}`
		throw new UsageError('rank-within-layer', message)
	}
	const layers = across.placesIn(model)
	if (layers.length > 0) return layers
	throw new UnsupportedError('rank-does-not-apply', `${path}: ${across.missing}`, { path })
}

/** Scores by unit number, comparable across layers. */
export async function rankUnits(
	model: Model,
	layers: readonly PruneLayer[],
	valid: ImageSet | null,
	{ rank, seed, signal, onProgress }: Pick<AcrossOptions, 'rank' | 'seed' | 'signal' | 'onProgress'>,
): Promise<RankingRecord> {
	const { across, quantity, first, needs } = RANKINGS[rank]
	const scores = await scoreLayers(rank, model, layers, valid, {
		seed,
		signal,
		onProgress: (done, total) => onProgress?.('activations', done, total),
	})
	const isStandard = across?.by === 'standard-score'
	return {
		name: rank,
		quantity: isStandard ? `${quantity}, in standard deviations above the mean of its layer` : quantity,
		first,
		scores: scores.flatMap((each) => (isStandard ? standardScores(each) : each)),
		seed: needs === 'seed' ? (seed ?? 0) : null,
	}
}

/** 0, 1, … 10, 12, 14, … and the last, and `extra`. */
function gridUpTo(units: number, extra: number | null): number[] {
	const grid = new Set([0, units, ...(extra === null ? [] : [extra])])
	for (let at = 1; at < units; at = at < CLOSE_POINTS ? at + 1 : Math.floor(at * GROWTH)) grid.add(at)
	return [...grid].sort((a, b) => a - b)
}

type Predicate = (net: NetCounts) => boolean

/** Measures nets until, for each predicate, the one before the first that fulfils it has one channel less. */
async function narrow(
	curve: ReadonlyMap<number, NetCounts>,
	predicates: readonly Predicate[],
	measure: (pruned: number) => Promise<void>,
): Promise<void> {
	for (;;) {
		const middle = predicates.map((isBeyond) => middleBefore(curve, isBeyond)).find((each) => each !== null)
		if (middle === undefined || middle === null) return
		await measure(middle)
	}
}

/** Halfway from the last measured net before the first beyond to that one; null where nothing lies between, or none is beyond. */
function middleBefore(curve: ReadonlyMap<number, NetCounts>, isBeyond: Predicate): number | null {
	const first = firstWhere(curve, isBeyond)
	if (first === undefined) return null
	const before = Math.max(...[...curve.keys()].filter((pruned) => pruned < first))
	return first - before > 1 ? Math.floor((before + first) / 2) : null
}

function firstWhere(curve: ReadonlyMap<number, NetCounts>, predicate: Predicate): number | undefined {
	return sorted(curve).find(([, net]) => predicate(net))?.[0]
}

function sorted(curve: ReadonlyMap<number, NetCounts>): [pruned: number, net: NetCounts][] {
	return [...curve].sort(([a], [b]) => a - b)
}

function stepRecords(curve: ReadonlyMap<number, NetCounts>, order: readonly number[]): StepRecord[] {
	return sorted(curve).map(([pruned, { valid, test, poisoned }]) => {
		const isNext = curve.has(pruned - 1)
		return { pruned, channel: isNext ? order[pruned - 1]! : null, valid, test, poisoned }
	})
}

/** A set with what B answers on it. */
interface AnsweredSet {
	readonly images: ImageSet
	readonly original: Int32Array
}

interface AnsweredSets {
	readonly valid: AnsweredSet
	readonly test: AnsweredSet | null
	readonly poisoned: (AnsweredSet & { readonly labels: PoisonedLabels }) | null
}

async function openSets(
	model: Model,
	{ valid, test, poisoned }: Pick<AcrossOptions, 'test' | 'poisoned'> & { readonly valid: ImageSet },
	labels: PoisonedLabels | null,
	signal: AbortSignal | undefined,
): Promise<AnsweredSets> {
	const answer = async (images: ImageSet) => ({ images, original: await predictLabels(model, images, { signal }) })
	return {
		valid: await answer(valid),
		test: test ? await answer(test) : null,
		poisoned: poisoned && labels ? { ...(await answer(poisoned)), labels } : null,
	}
}

async function countNet(net: Model, { valid, test, poisoned }: AnsweredSets, signal?: AbortSignal): Promise<NetCounts> {
	const judge = async <T extends CleanTally | PoisonedTally>({ images, original }: AnsweredSet, tally: T) => {
		for await (const { start, labels } of predict(net, images, { signal })) {
			for (const [i, label] of labels.entries()) tally.judge(0, start + i, label, original[start + i]!)
		}
		return tally
	}
	const clean = (set: AnsweredSet) => judge(set, new CleanTally(1, set.images.count, set.images.labels))
	const onValid = await clean(valid)
	const onTest = test && (await clean(test))
	const onPoisoned = poisoned && (await judge(poisoned, new PoisonedTally(1, poisoned.images.count, poisoned.labels)))
	return {
		valid: onValid.net(0),
		test: onTest?.net(0) ?? null,
		poisoned: onPoisoned?.net(0) ?? null,
		goodnet: {
			valid: onValid.guarded(0),
			test: onTest?.guarded(0) ?? null,
			poisoned: onPoisoned?.guarded(0) ?? null,
		},
	}
}
