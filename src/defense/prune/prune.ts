/**
 * The pruning defense, whole: rank the channels of one layer on clean images, prune them one after another, and take for each drop the
 * first net that lies that many points below the baseline (fine-pruning, arXiv:1805.12185, section 4; CSAW HackML 2020, lab 3).
 */
import type { StepRecord } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { InputError, UsageError } from '../../errors.ts'
import { dropReached } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import { checkLabels, checkPoisoned, type PoisonedLabels } from '../labels.ts'
import { type ActivationStore, type BatchSource, readOnce, readTwice } from './batch-source.ts'
import { chooseLayer, type PruneLayer } from './layer.ts'
import { channelLayout } from './channel-layout.ts'
import { MeanActivation } from './rank/mean.ts'
import { orderChannels } from './rank/order.ts'
import { checkChannels, pruneChannels, type RepairedModel } from './repaired.ts'
import { type Judge, sweepSet } from './sweep.ts'
import { CleanTally, PoisonedTally } from './tally.ts'
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
	/** Measured along the sweep, never used to choose. */
	readonly test?: ImageSet | undefined
	/** Measured along the sweep, never used to choose. */
	readonly poisoned?: ImageSet | undefined
	/** The attacker's label, where `poisoned` does not tell it by having this one label only. */
	readonly target?: number | undefined
	/** Where activations go that do not fit into memory; without it they are computed a second time. See `openScratch`. */
	readonly scratch?: ActivationStore | undefined
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((stage: PruneStage, ...progress: Parameters<OnProgress>) => void) | undefined
}

const DEFAULT_DROPS: readonly number[] = [2, 4, 10]

/** A drop and the first net that reaches it. */
export interface ReachedDrop {
	/** Points. */
	readonly drop: number
	/** Channels pruned, counted from the front of the order. */
	readonly pruned: number
}

/** Everything a sweep found out. Counts are integers; see `CleanTally` and `PoisonedTally`. */
export interface Sweep {
	readonly model: Model
	readonly layer: PruneLayer
	/** Channel numbers, first pruned first. */
	readonly order: readonly number[]
	/** Mean activation by channel number. */
	readonly meanActivation: readonly number[]
	/** `order.length + 1` nets; step 0 is the net as it came. */
	readonly steps: readonly StepRecord[]
	readonly valid: CleanTally
	readonly test: CleanTally | null
	readonly poisoned: PoisonedTally | null
	readonly poisonedLabels: PoisonedLabels | null
	readonly reached: readonly ReachedDrop[]
	/** Drops that no net of the order reached. */
	readonly notReached: readonly number[]
	/** The repaired net for a drop. @throws InputError `not-reached` */
	repaired(drop: number): RepairedModel
}

/**
 * Runs the defense.
 *
 * @param valid clean images `[N, …]`; without labels, accuracy is agreement with the net as it came
 * @throws UsageError `bad-drops`; InputError for data that does not fit (labels, layer, channels); InterruptedError
 */
export async function prune(model: Model, valid: ImageSet, options: PruneOptions = {}): Promise<Sweep> {
	const { test, poisoned } = options
	const drops = [...new Set(options.drops ?? DEFAULT_DROPS)]
	checkDrops(drops)
	const labels = poisoned ? checkPoisoned(poisoned, model.classes, options.target) : null
	for (const set of [valid, test]) if (set) checkLabels(set, model.classes)
	const layer = chooseLayer(model, options.layer)
	if (options.order) checkChannels(model, layer, options.order)
	const net = await cutModel(model, layer)
	try {
		const validBatches = readTwice(net, valid, options.scratch)
		const meanActivation = await measure(net, validBatches, options)
		const order = options.order ?? orderChannels(meanActivation)
		const counts = await count(net, order, validBatches, valid, labels, options)
		const reached = drops.flatMap((drop) => firstNetBelow(counts.valid, order.length, drop))
		return {
			model,
			layer,
			order,
			meanActivation,
			...counts,
			steps: stepRecords(order, counts),
			poisonedLabels: labels,
			reached,
			notReached: drops.filter((drop) => !reached.some((each) => each.drop === drop)),
			repaired(drop) {
				const found = reached.find((each) => each.drop === drop)
				if (found) return pruneChannels(model, layer, order.slice(0, found.pruned))
				throw new InputError('not-reached', `no net of this sweep lies ${drop} points below the baseline`)
			},
		}
	} finally {
		await net.close()
	}
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
interface Counts {
	readonly valid: CleanTally
	readonly test: CleanTally | null
	readonly poisoned: PoisonedTally | null
}

async function count(
	net: CutModel,
	order: readonly number[],
	validBatches: BatchSource,
	valid: ImageSet,
	labels: PoisonedLabels | null,
	options: PruneOptions,
): Promise<Counts> {
	const { test, poisoned } = options
	const steps = order.length + 1
	const sweep = <J extends Judge>(stage: PruneStage, source: BatchSource, judge: J) =>
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

async function judgeSet<J extends Judge>(
	net: CutModel,
	order: readonly number[],
	stage: PruneStage,
	source: BatchSource,
	judge: J,
	{ signal, onProgress }: Pick<PruneOptions, 'signal' | 'onProgress'>,
): Promise<J> {
	const images = source.count
	for await (const done of sweepSet(net, source.batches({ signal }), order, judge, { images, signal })) {
		onProgress?.(stage, done, images)
	}
	return judge
}

function checkDrops(drops: readonly number[]): void {
	const bad = drops.find((drop) => !(drop > 0 && drop <= 100))
	if (bad !== undefined) throw new UsageError('bad-drops', `drops are points above 0 and at most 100; found ${bad}`)
}

async function measure(
	net: CutModel,
	source: BatchSource,
	{ signal, onProgress }: PruneOptions,
): Promise<readonly number[]> {
	const means = new MeanActivation(channelLayout(net.layer))
	for await (const batch of source.batches({ signal })) {
		means.add(batch.feeds[net.layer.name]!.data as Float32Array, batch.count) // float32: `cutModel` checked
		onProgress?.('activations', batch.start + batch.count, source.count)
	}
	return means.result()
}

function firstNetBelow(valid: CleanTally, channels: number, drop: number): ReachedDrop[] {
	const { correct: baseline, total } = valid.net(0)
	for (let pruned = 1; pruned <= channels; pruned++) {
		if (dropReached(baseline, valid.net(pruned).correct, total, drop)) return [{ drop, pruned }]
	}
	return []
}

function stepRecords(order: readonly number[], { valid, test, poisoned }: Counts): StepRecord[] {
	return [null, ...order].map((channel, pruned) => ({
		pruned,
		channel,
		valid: valid.net(pruned),
		test: test?.net(pruned) ?? null,
		poisoned: poisoned?.net(pruned) ?? null,
	}))
}
