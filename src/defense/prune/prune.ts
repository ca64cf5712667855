/**
 * The pruning defense, whole: rank the channels of one layer on clean images, prune them one after another, and take for each drop the
 * first net that lies that many points below the baseline (fine-pruning, arXiv:1805.12185, section 4; CSAW HackML 2020, lab 3).
 */
import type { RankingRecord, RankName } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'
import { type ActivationStore, type BatchSource, readOnce, readTwice } from './batch-source.ts'
import { channelLayout } from './channel-layout.ts'
import { type Checkpoints, type Resumable, resumeStage } from './checkpoints.ts'
import {
	type ChoiceName,
	type Curve,
	channelsFor,
	checkDrops,
	chooseNets,
	countAbove,
	type MeasuredNets,
	stepRecords,
} from './curve.ts'
import { chooseLayer, type PruneLayer } from './layer.ts'
import { MeanActivation } from './rank/mean.ts'
import { orderChannels, standardScores } from './rank/order.ts'
import { checkThreshold, layerFor, rankingRecord, rankLayer } from './rank/rank-layer.ts'
import { RANKINGS } from './rank/rankings.ts'
import { checkChannels, pruneChannels, type RepairedModel } from './repaired.ts'
import { type Judge, sweepSet } from './sweep.ts'
import { CleanTally, countsAt, PoisonedTally, type Tallies } from './tally.ts'
import { type CutModel, cutModel } from './trunk.ts'

/** The stages one sees in a progress bar. */
export type PruneStage = 'activations' | 'valid' | 'test' | 'poisoned'

/** What every run of the defense needs. */
export interface PruneOptions {
	/** Default: the last pooling layer. */
	readonly layer?: string | undefined
	/** Points of clean validation accuracy to give up, each > 0 and ≤ 100. Default 2, 4, 10. */
	readonly drops?: readonly number[] | undefined
	/** Channels in pruning order, instead of ranking them. */
	readonly order?: readonly number[] | undefined
	/** Default `mean`. */
	readonly rank?: RankName | undefined
	/** Also take the net whose channels lie more than `u` standard deviations above the mean, for `clp` and `bnp`. */
	readonly u?: number | undefined
	/** Of `random`. Default 0. */
	readonly seed?: number | undefined
	/** Measured along the sweep, never used to choose. */
	readonly test?: ImageSet | undefined
	/** Measured along the sweep, never used to choose. */
	readonly poisoned?: ImageSet | undefined
	/** The attacker's label, where `poisoned` does not tell it by having this one label only. */
	readonly target?: number | undefined
	/** Where activations go that do not fit into memory; without it they are computed a second time. See `openScratch`. */
	readonly scratch?: ActivationStore | undefined
	/** Where the run remembers how far it is; default: nowhere. */
	readonly checkpoints?: Checkpoints | undefined
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((stage: PruneStage, ...progress: Parameters<OnProgress>) => void) | undefined
}

/** A drop and the first net that reaches it. */
export interface ReachedDrop {
	/** Points. */
	readonly drop: number
	/** Channels pruned, counted from the front of the order. */
	readonly pruned: number
}

/** Everything a sweep of one layer found out: every net of the order is measured. Counts are integers. */
export interface Sweep extends Curve {
	readonly layer: PruneLayer
	readonly meanActivation: readonly number[]
	readonly valid: CleanTally
	readonly test: CleanTally | null
	readonly poisoned: PoisonedTally | null
	/** The choices that drops made. */
	readonly reached: readonly ReachedDrop[]
	/** The repaired net for a drop, the elbow, or the threshold. @throws InputError `not-reached` */
	repaired(which: ChoiceName): RepairedModel
}

/**
 * Runs the defense.
 *
 * @param valid clean images `[N, …]`; without labels, accuracy is agreement with the net as it came
 * @throws UsageError `bad-drops`, `conflicting-options`, `no-threshold`; UnsupportedError `rank-does-not-apply`; InputError for data that does not fit (labels, layer, channels); InterruptedError
 */
export async function prune(model: Model, valid: ImageSet, options: PruneOptions = {}): Promise<Sweep> {
	const { test, poisoned } = options
	const drops = checkDrops(options.drops)
	const rank = rankOf(options)
	const labels = poisoned ? checkPoisoned(poisoned, model.classes, options.target) : null
	for (const set of [valid, test]) if (set) checkLabels(set, model.classes)
	const chosen = chooseLayer(model, options.layer)
	const layer = rank ? layerFor(model, chosen, rank) : chosen
	if (options.order) checkChannels(model, layer, options.order)
	const net = await cutModel(model, layer)
	try {
		const validBatches = readTwice(net, valid, options.scratch)
		const meanActivation = await measure(net, validBatches, options)
		const ranking = rank && (await rankChannels(net, rank, meanActivation, valid, options))
		const order = options.order ?? orderChannels(ranking!.scores, ranking!.first)
		const threshold = ranking && thresholdOf(ranking, options.u, model)
		const tallies = await count(net, order, validBatches, valid, labels, options)
		const nets: MeasuredNets = new Map([null, ...order].map((_, pruned) => [pruned, countsAt(pruned, tallies)]))
		const chosenNets = chooseNets(nets, { drops, threshold, hasElbow: rank !== null && RANKINGS[rank].isSuspicion })
		return {
			...{ model, layer, layers: [layer], order, ranking, meanActivation, nets },
			...tallies,
			...chosenNets,
			reached: chosenNets.choices.flatMap(({ drop, pruned }) => (drop === null ? [] : [{ drop, pruned }])),
			steps: stepRecords(nets, order),
			poisonedLabels: labels,
			repaired: (which) => pruneChannels(model, layer, channelsFor({ ...chosenNets, order }, which)),
		}
	} finally {
		await net.close()
	}
}

/** @throws UsageError `conflicting-options`, `no-threshold` */
function rankOf({ order, rank, u }: PruneOptions): RankName | null {
	if (order && (rank !== undefined || u !== undefined)) {
		throw new UsageError(
			'conflicting-options',
			'an order given by hand leaves nothing to rank; it does not go with a ranking',
		)
	}
	if (order) return null
	if (u !== undefined) checkThreshold(rank ?? 'mean')
	return rank ?? 'mean'
}

async function rankChannels(
	{ model, layer }: CutModel,
	rank: RankName,
	meanActivation: readonly number[],
	valid: ImageSet,
	{ seed, signal, onProgress, checkpoints }: PruneOptions,
): Promise<RankingRecord> {
	if (rank === 'mean') return rankingRecord(rank, meanActivation)
	const onImages = (done: number, total: number) => onProgress?.('activations', done, total)
	return rankLayer(model, layer, rank, valid, { seed, signal, checkpoints, onProgress: onImages })
}

function thresholdOf({ scores }: RankingRecord, u: number | undefined, { source }: Model) {
	return u === undefined ? null : { u, pruned: countAbove(standardScores(scores), u, source.path) }
}

/**
 * Attack success of every net of a given order on one more poisoned set.
 * @returns counts at 0, 1, … `order.length` pruned channels
 */
export async function countPoisoned(
	model: Model,
	layer: PruneLayer,
	order: readonly number[],
	images: ImageSet,
	options: Pick<PruneOptions, 'target' | 'signal' | 'onProgress'> = {},
): Promise<PoisonedTally> {
	const labels = checkPoisoned(images, model.classes, options.target)
	const net = await cutModel(model, layer)
	try {
		const judge = new PoisonedTally(order.length + 1, images.count, labels)
		return await judgeSet(net, order, 'poisoned', readOnce(net, images), judge, options)
	} finally {
		await net.close()
	}
}

/** Counts of every net of the order, on every set there is. */
async function count(
	net: CutModel,
	order: readonly number[],
	validBatches: BatchSource,
	valid: ImageSet,
	labels: PoisonedLabels | null,
	options: PruneOptions,
): Promise<Tallies> {
	const { test, poisoned } = options
	const steps = order.length + 1
	const sweep = <J extends Judge & Resumable>(stage: PruneStage, source: BatchSource, judge: J) =>
		judgeSet(net, order, stage, source, judge, options)
	return {
		valid: await sweep('valid', validBatches, new CleanTally(steps, valid.count, valid.labels)),
		test: test ? await sweep('test', readOnce(net, test), new CleanTally(steps, test.count, test.labels)) : null,
		poisoned:
			poisoned && labels
				? await sweep('poisoned', readOnce(net, poisoned), new PoisonedTally(steps, poisoned.count, labels))
				: null,
	}
}

async function judgeSet<J extends Judge & Resumable>(
	net: CutModel,
	order: readonly number[],
	stage: PruneStage,
	source: BatchSource,
	judge: J,
	{ signal, onProgress, checkpoints }: Pick<PruneOptions, 'signal' | 'onProgress' | 'checkpoints'>,
): Promise<J> {
	const images = source.count
	const from = resumeStage(checkpoints, stage, judge)
	for await (const done of sweepSet(net, source.batches({ signal, from }), order, judge, { images, signal })) {
		await checkpoints?.save(stage, { done, total: images }, () => judge.state())
		onProgress?.(stage, done, images)
	}
	return judge
}

async function measure(
	net: CutModel,
	source: BatchSource,
	{ signal, onProgress, checkpoints }: PruneOptions,
): Promise<readonly number[]> {
	const means = new MeanActivation(channelLayout(net.layer))
	const total = source.count
	const from = resumeStage(checkpoints, 'activations', means)
	for await (const batch of source.batches({ signal, from })) {
		means.add(batch.feeds[net.layer.name]!.data as Float32Array, batch.count) // float32: `cutModel` checked
		const done = batch.start + batch.count
		await checkpoints?.save('activations', { done, total }, () => means.state())
		onProgress?.('activations', done, total)
	}
	return means.result()
}
