/**
 * Pruning across layers: channels of the whole net in one order, by a ranking that compares layers. Nothing is left to compute once, for
 * the first layers change as well, so each net of the curve is run whole, on chosen points: every count up to ten channels, then each a
 * fifth more than the last, and between those as many as it takes to know the first net of each drop and the elbow to the channel. The
 * points do not depend on the ranking; curves of different rankings can be laid over each other.
 */
import type { RankingRecord, RankName } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { UnsupportedError, UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { predict, predictLabels } from '../../model/predict.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'
import { type Checkpoints, resumeStage } from './checkpoints.ts'
import {
	type ChoiceName,
	type Curve,
	channelsFor,
	checkDrops,
	chooseNets,
	countAbove,
	type MeasuredNets,
	type NetCounts,
	nextToMeasure,
	stepRecords,
	type Wishes,
} from './curve.ts'
import { checkPrunable, type PruneLayer } from './layer.ts'
import { orderChannels, standardScores } from './rank/order.ts'
import { checkThreshold, rankingRecord } from './rank/rank-layer.ts'
import type { Across } from './rank/ranking.ts'
import { RANKINGS } from './rank/rankings.ts'
import { scoreLayers } from './rank/score.ts'
import { pruneUnits, type RepairedModel } from './repaired.ts'
import { CleanTally, countsAt, PoisonedTally } from './tally.ts'

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
	/** Where the run remembers how far it is; default: nowhere. */
	readonly checkpoints?: Checkpoints | undefined
	readonly signal?: AbortSignal | undefined
	/** Images of the ranking's pass, then nets; the total of nets grows where drops and elbow are narrowed down. */
	readonly onProgress?: ((stage: 'activations' | 'nets', done: number, total: number) => void) | undefined
}

/** A curve whose channels are *units*: a layer and a channel of it, numbered through in the order of the net. */
export interface AcrossSweep extends Curve {
	readonly ranking: RankingRecord
	/** The repaired net for a drop, for the elbow, or for the threshold. @throws InputError `not-reached` */
	repaired(which: ChoiceName): RepairedModel
}

/**
 * Runs the defense across layers.
 *
 * @param valid clean images `[N, …]`; without labels, accuracy is agreement with the net as it came
 * @throws UsageError `bad-drops`, `rank-within-layer`, `no-threshold`; UnsupportedError `rank-does-not-apply`; InputError for data that does not fit,
 *   `nothing-above-threshold`; InterruptedError
 */
export async function pruneAcross(model: Model, valid: ImageSet, options: AcrossOptions): Promise<AcrossSweep> {
	const { test, poisoned, rank, u, signal, onProgress } = options
	const drops = checkDrops(options.drops)
	const labels = poisoned ? checkPoisoned(poisoned, model.classes, options.target) : null
	for (const set of [valid, test]) if (set) checkLabels(set, model.classes)
	const layers = layersAcross(model, rank)
	if (u !== undefined) checkThreshold(rank)
	const ranking = await rankUnits(model, layers, valid, options)
	const order = orderChannels(ranking.scores, ranking.first)
	const threshold = u === undefined ? null : { u, pruned: countAbove(ranking.scores, u, model.source.path) }
	const wishes = { drops, hasElbow: RANKINGS[rank].isSuspicion, threshold }
	const sets = await answerSets(model, { valid, test, poisoned }, labels, signal)
	const nets = await measureNets(order.length, wishes, onProgress, (pruned) =>
		countNet(() => pruneUnits(model, layers, order.slice(0, pruned)), sets, `net ${pruned}`, options),
	)
	const chosen = chooseNets(nets, wishes)
	return {
		...{ model, layers, order, ranking, nets },
		...chosen,
		meanActivation: null,
		steps: stepRecords(nets, order),
		poisonedLabels: labels,
		repaired: (which) => pruneUnits(model, layers, channelsFor({ ...chosen, order }, which)),
	}
}

/**
 * The layers that a ranking compares, each silenced where its method does it.
 *
 * @throws UsageError `rank-within-layer` for a ranking that is published for one layer at a time
 * @throws UnsupportedError `rank-does-not-apply` where the net has no such layer
 */
export function layersAcross(model: Model, rank: RankName): PruneLayer[] {
	const { placesIn, missing } = checkAcross(rank)
	const { path } = model.source
	checkPrunable(model)
	const layers = placesIn(model)
	if (layers.length > 0) return layers
	throw new UnsupportedError('rank-does-not-apply', `${path}: ${missing}`, { path })
}

/** How the ranking compares layers. @throws UsageError `rank-within-layer` */
export function checkAcross(rank: RankName): Across {
	const { across } = RANKINGS[rank]
	if (across) return across
	const able = Object.entries(RANKINGS).flatMap(([name, ranking]) => (ranking.across ? [name] : []))
	const message = `${rank} ranks the channels of one layer and has no published rule to compare layers; name one with --layer, or rank by ${able.join(', ')}`
	throw new UsageError('rank-within-layer', message)
}

/** Scores by unit number, comparable across layers. */
export async function rankUnits(
	model: Model,
	layers: readonly PruneLayer[],
	valid: ImageSet | null,
	options: Pick<AcrossOptions, 'rank' | 'seed' | 'checkpoints' | 'signal' | 'onProgress'>,
): Promise<RankingRecord> {
	const { rank, seed, checkpoints, signal, onProgress } = options
	const scores = await scoreLayers(rank, model, layers, valid, {
		seed,
		checkpoints,
		signal,
		onProgress: (done, total) => onProgress?.('activations', done, total),
	})
	const isStandard = RANKINGS[rank].across?.by === 'standard-score'
	const record = rankingRecord(
		rank,
		scores.flatMap((each) => (isStandard ? standardScores(each) : each)),
		{ seed },
	)
	const quantity = `${record.quantity}, in standard deviations above the mean of its layer`
	return isStandard ? { ...record, quantity } : record
}

/** Measures the points of the grid, then what it takes to know the wished nets to the channel. */
async function measureNets(
	units: number,
	wishes: Wishes,
	onProgress: AcrossOptions['onProgress'],
	measure: (pruned: number) => Promise<NetCounts>,
): Promise<MeasuredNets> {
	const grid = gridUpTo(units, wishes.threshold?.pruned)
	let nets: MeasuredNets = new Map()
	const add = async (pruned: number) => {
		nets = new Map([...nets, [pruned, await measure(pruned)] as const].sort(([a], [b]) => a - b))
	}
	for (const pruned of grid) {
		await add(pruned)
		// One more to come, until it is known that nothing is left to narrow down.
		onProgress?.('nets', nets.size, grid.length + 1)
	}
	for (let next = nextToMeasure(nets, wishes); next !== null; next = nextToMeasure(nets, wishes)) {
		await add(next)
		onProgress?.('nets', nets.size, nets.size + 1)
	}
	onProgress?.('nets', nets.size, nets.size)
	return nets
}

/** 0, 1, … 10, 12, 14, … and the last, and `extra`. */
function gridUpTo(units: number, extra: number | undefined): number[] {
	const grid = new Set([0, units, ...(extra === undefined ? [] : [extra])])
	for (let at = 1; at < units; at = at < CLOSE_POINTS ? at + 1 : Math.floor(at * GROWTH)) grid.add(at)
	return [...grid].sort((a, b) => a - b)
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

async function answerSets(
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

/** Counts one net on every set. A set is counted whole or, where an earlier process had done so, not at all. */
async function countNet(
	net: () => Model,
	{ valid, test, poisoned }: AnsweredSets,
	stage: string,
	{ signal, checkpoints }: AcrossOptions,
): Promise<NetCounts> {
	const judge = async <T extends CleanTally | PoisonedTally>(set: string, answered: AnsweredSet, tally: T) => {
		const { images, original } = answered
		const name = `${stage} on ${set}`
		if (resumeStage(checkpoints, name, tally) === images.count) return tally
		for await (const { start, labels } of predict(net(), images, { signal })) {
			for (const [i, label] of labels.entries()) tally.judge(0, start + i, label, original[start + i]!)
		}
		await checkpoints?.save(name, { done: images.count, total: images.count }, () => tally.state())
		return tally
	}
	const clean = (set: string, answered: AnsweredSet) =>
		judge(set, answered, new CleanTally(1, answered.images.count, answered.images.labels))
	const triggered = poisoned && new PoisonedTally(1, poisoned.images.count, poisoned.labels)
	return countsAt(0, {
		valid: await clean('valid', valid),
		test: test && (await clean('test', test)),
		poisoned: poisoned && triggered && (await judge('poisoned', poisoned, triggered)),
	})
}
