/** A sweep as the record that `run.json` keeps: plain data, counts only. */
import type {
	DataRecord,
	PoisonedRecord,
	PruneRun,
	RankingRecord,
	RepairedRecord,
	StepRecord,
} from '../../contracts/prune-run.ts'
import { ALL_LAYERS } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { environmentRecord } from '../../model/environment.ts'
import { imageDims } from '../../model/feed.ts'
import type { Model } from '../../model/model.ts'
import type { PoisonedLabels } from '../labels.ts'
import type { Choice, Curve } from './curve.ts'
import type { PruneLayer } from './layer.ts'

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

/** The record of a sweep, of one layer or across layers; `files` of each repaired net are still null. */
export async function sweepRecord(curve: Curve, data: RunData, facts: RunFacts): Promise<PruneRun> {
	const { order, ranking, meanActivation, steps, elbow, choices, notReached } = curve
	return {
		...(await baseRecord(curve.model, curve.layers, data, curve.poisonedLabels, facts)),
		order: [...order],
		orderSource: ranking ? 'ranked' : 'given',
		ranking,
		meanActivation: meanActivation && [...meanActivation],
		steps: [...steps],
		elbow,
		repaired: choices.map((choice) => repairedRecord(curve, choice)),
		notReached: [...notReached],
	}
}

/** The record of a run without data: channels given by hand, or those above the threshold of a ranking that needs none. */
export async function blindRecord(
	model: Model,
	layers: readonly PruneLayer[],
	{
		choice,
		order,
		ranking,
	}: { readonly choice: Choice; readonly order: readonly number[]; readonly ranking: RankingRecord | null },
	facts: RunFacts,
): Promise<PruneRun> {
	const unmeasured = { valid: null, test: null, poisoned: null }
	const channels = order.slice(0, choice.pruned)
	const steps = [null, ...channels].map((channel, pruned): StepRecord => ({ pruned, channel, ...unmeasured }))
	return {
		...(await baseRecord(model, layers, {}, null, facts)),
		order: [...order],
		orderSource: ranking ? 'ranked' : 'given',
		ranking,
		meanActivation: null,
		steps,
		elbow: null,
		repaired: [{ ...choice, channels, files: null, sha256: {}, ...unmeasured, goodnet: unmeasured }],
		notReached: [],
	}
}

/** One net of a curve with all its counts. */
export function repairedRecord({ order, nets }: Pick<Curve, 'order' | 'nets'>, choice: Choice): RepairedRecord {
	const counts = nets.get(choice.pruned)!
	return { ...choice, channels: order.slice(0, choice.pruned), files: null, sha256: {}, ...counts }
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

type BaseRecord = Pick<
	PruneRun,
	'schema' | 'command' | 'model' | 'layers' | 'preprocessing' | 'data' | 'environment' | 'seconds'
>

async function baseRecord(
	model: Model,
	layers: readonly PruneLayer[],
	{ valid, test, poisoned }: RunData,
	labels: PoisonedLabels | null,
	{ command, goodnetVersion, seconds }: RunFacts,
): Promise<BaseRecord> {
	return {
		schema: 'goodnet/prune@1',
		command,
		model: { ...modelRecord(model), ...placeRecord(layers) },
		layers: layers.length > 1 ? layers.map(layerRecord) : null,
		preprocessing: copyPreprocessing(model),
		data: {
			valid: valid ? await dataRecord(valid) : null,
			test: test ? await dataRecord(test) : null,
			poisoned: poisoned && labels ? await poisonedRecord(poisoned, labels) : null,
		},
		environment: environmentRecord(model.runtime, goodnetVersion),
		seconds,
	}
}

/** Where a run pruned: its one layer, or all together. */
function placeRecord(layers: readonly PruneLayer[]) {
	const [first, ...others] = layers as [PruneLayer, ...PruneLayer[]] // a run prunes something
	const { name, ...only } = layerRecord(first)
	if (others.length === 0) return { layer: name, ...only }
	const isSame = others.every(({ intervention }) => intervention === first.intervention)
	return {
		layer: ALL_LAYERS,
		producer: null,
		channels: layers.reduce((sum, { channels }) => sum + channels, 0),
		intervention: isSame ? first.intervention : null,
	}
}

function layerRecord({ name, producer, channels, intervention }: PruneLayer) {
	return { name, producer, channels, intervention }
}

/** What a record says of the net that a run was given. */
export function modelRecord({ source: { path, sha256, format }, input, classes }: Model) {
	return { path, sha256, format, inputShape: imageDims(input), classes }
}

/** The model's preprocessing as a record of its own. */
export function copyPreprocessing({ preprocessing }: Model): PruneRun['preprocessing'] {
	const { scale, mean, std, channels, resize } = preprocessing
	return { scale, mean: mean && [...mean], std: std && [...std], channels, resize }
}
