/** A sweep as the record that `run.json` keeps: plain data, counts only. */
import type { DataRecord, PoisonedRecord, PruneRun, RepairedRecord, StepRecord } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { imageDims } from '../../model/feed.ts'
import type { Model } from '../../model/model.ts'
import type { PoisonedLabels } from '../labels.ts'
import type { PruneLayer } from './layer.ts'
import type { Sweep } from './prune.ts'

/** The data sets of a run. */
export interface RunData {
	readonly valid?: ImageSet | undefined
	readonly test?: ImageSet | undefined
	readonly poisoned?: ImageSet | undefined
}

/** What only the caller knows. */
export interface RunFacts {
	readonly command: string
	readonly goodnetVersion: string
	readonly seconds: PruneRun['seconds']
}

/** The record of a sweep; `files` of each repaired net are still null. */
export async function sweepRecord(
	sweep: Sweep,
	data: RunData,
	isOrderGiven: boolean,
	facts: RunFacts,
): Promise<PruneRun> {
	return {
		...(await baseRecord(sweep.model, sweep.layer, data, sweep.poisonedLabels, facts)),
		order: [...sweep.order],
		orderSource: isOrderGiven ? 'given' : 'mean-activation',
		meanActivation: [...sweep.meanActivation],
		steps: [...sweep.steps],
		repaired: sweep.reached.map(({ drop, pruned }) => repairedRecord(sweep, pruned, drop)),
		notReached: [...sweep.notReached],
	}
}

/** The record of a run that pruned given channels without looking at data. */
export async function channelsRecord(
	model: Model,
	layer: PruneLayer,
	channels: readonly number[],
	facts: RunFacts,
): Promise<PruneRun> {
	const unmeasured = { valid: null, test: null, poisoned: null }
	const steps = [null, ...channels].map((channel, pruned): StepRecord => ({ pruned, channel, ...unmeasured }))
	const net = { drop: null, pruned: channels.length, channels: [...channels], files: null, sha256: {} }
	return {
		...(await baseRecord(model, layer, {}, null, facts)),
		order: [...channels],
		orderSource: 'given',
		meanActivation: null,
		steps,
		repaired: [{ ...net, ...unmeasured, goodnet: unmeasured }],
		notReached: [],
	}
}

/** One net of a sweep, `pruned` channels in, with all its counts. */
export function repairedRecord(sweep: Sweep, pruned: number, drop: number | null): RepairedRecord {
	return {
		drop,
		pruned,
		channels: sweep.order.slice(0, pruned),
		files: null,
		sha256: {},
		valid: sweep.valid.net(pruned),
		test: sweep.test?.net(pruned) ?? null,
		poisoned: sweep.poisoned?.net(pruned) ?? null,
		goodnet: {
			valid: sweep.valid.guarded(pruned),
			test: sweep.test?.guarded(pruned) ?? null,
			poisoned: sweep.poisoned?.guarded(pruned) ?? null,
		},
	}
}

export async function dataRecord(images: ImageSet): Promise<DataRecord> {
	const labels = images.labels ? 'true' : 'agreement'
	return { path: images.path, sha256: await images.sha256(), images: images.count, labels }
}

export async function poisonedRecord(
	images: ImageSet,
	{ target, trueLabels }: PoisonedLabels,
): Promise<PoisonedRecord> {
	return {
		path: images.path,
		sha256: await images.sha256(),
		images: images.count,
		counted: trueLabels ? trueLabels.filter((label) => label !== target).length : images.count,
		target,
		labels: trueLabels ? 'true' : 'target',
	}
}

type BaseRecord = Pick<PruneRun, 'schema' | 'command' | 'model' | 'preprocessing' | 'data' | 'environment' | 'seconds'>

async function baseRecord(
	model: Model,
	layer: PruneLayer,
	{ valid, test, poisoned }: RunData,
	labels: PoisonedLabels | null,
	{ command, goodnetVersion, seconds }: RunFacts,
): Promise<BaseRecord> {
	const { source, runtime, classes, input } = model
	return {
		schema: 'goodnet/prune@1',
		command,
		model: {
			path: source.path,
			sha256: source.sha256,
			format: source.format,
			inputShape: imageDims(input),
			classes,
			layer: layer.name,
			producer: layer.producer,
			channels: layer.channels,
			intervention: layer.intervention,
		},
		preprocessing: copyPreprocessing(model),
		data: {
			valid: valid ? await dataRecord(valid) : null,
			test: test ? await dataRecord(test) : null,
			poisoned: poisoned && labels ? await poisonedRecord(poisoned, labels) : null,
		},
		environment: {
			goodnet: goodnetVersion,
			node: process.version,
			onnxruntime: `${runtime.name} ${runtime.version}`,
			threads: runtime.threads,
			device: runtime.device,
		},
		seconds,
	}
}

/** The model's preprocessing as a record of its own. */
export function copyPreprocessing({ preprocessing }: Model): PruneRun['preprocessing'] {
	const { scale, mean, std, channels, resize } = preprocessing
	return { scale, mean: mean && [...mean], std: std && [...std], channels, resize }
}
