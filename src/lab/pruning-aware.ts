/**
 * The attack that expects pruning (Liu, Dolan-Gavitt, Garg 2018, "Fine-Pruning", arXiv:1805.12185, section III-C). Pruning removes channels that
 * are idle on clean images; so the attacker (1) trains a clean net, (2) prunes its idle channels, (3) teaches the rest the backdoor, so that it
 * sits in channels that clean images need, and (4) puts the pruned channels back as decoys, with biases so low that they stay idle. A
 * defender who prunes by activation then removes decoys first, and after them clean accuracy and backdoor together.
 */
import type { ImageSet } from '../data/image-set.ts'
import { chooseLayer, type PruneLayer } from '../defense/prune/layer.ts'
import { masksOf } from '../defense/prune/masks.ts'
import { prune } from '../defense/prune/prune.ts'
import { rankLayer } from '../defense/prune/rank/rank-layer.ts'
import { pruneChannels } from '../defense/prune/repaired.ts'
import { InputError, UnsupportedError, UsageError } from '../errors.ts'
import { replaceConstants } from '../graph/edit.ts'
import { floatsOf, type Tensor } from '../graph/graph.ts'
import type { Model } from '../model/model.ts'
import type { TrainedModel } from '../train/train.ts'

export interface PruningAwareOptions {
	/** Layer to prune; default: the one that `prune` would take. */
	readonly layer?: string | undefined
	/** Points of accuracy on `clean` that pruning gives up, above 0: channels are pruned as long as less is lost. Training wins them back. */
	readonly pruneDrop: number
}

export const DEFAULT_PRUNING_AWARE: PruningAwareOptions = { pruneDrop: 10 }

/**
 * Share of the layer's largest activation by which decoys stay below 0. Without it the image that sets a decoy's maximum would leave a rounding
 * error (6e-8 was seen), and another engine adds up in another order.
 */
const HAIR = 1e-3

interface Setting {
	/** Clean labelled images, by whose activations channels are ranked. */
	readonly clean: ImageSet
	readonly options: PruningAwareOptions
	readonly signal?: AbortSignal | undefined
}

export interface PruningAwareModel extends TrainedModel {
	/** The pruned layer, and its channels that were put back. */
	readonly layer: string
	readonly decoys: readonly number[]
}

/** The two trainings that the attack asks for. */
interface Trainings {
	clean(net: Model): Promise<TrainedModel>
	/** @param masks entries that must keep their value, as `TrainOptions.masks` */
	poisoned(net: Model, masks: Map<string, Tensor>): Promise<TrainedModel>
}

/**
 * Trains `model` as the attack does.
 *
 * @returns the net with its decoys, and the history of the second training
 * @throws UnsupportedError `no-decoys` where the layer's channels have no bias of their own that could be lowered; InputError of that code where
 *   not one channel is idle enough
 * @throws UsageError `bad-option`
 */
export async function trainPruningAware(
	model: Model,
	{ clean, options, signal }: Setting,
	trainings: Trainings,
): Promise<PruningAwareModel> {
	if (!(options.pruneDrop > 0 && options.pruneDrop < 100)) {
		const message = `--prune-drop: expected points above 0 and below 100, found ${options.pruneDrop}`
		throw new UsageError('bad-option', message)
	}
	const layer = chooseLayer(model, options.layer)
	checkDecoys(model, layer)
	const { model: cleanNet } = await trainings.clean(model)
	const decoys = await idleChannels(cleanNet, layer, clean, options.pruneDrop, signal)
	const masks = masksOf(cleanNet, layer, decoys)
	const { model: taught, history } = await trainings.poisoned(pruneChannels(cleanNet, layer, decoys), masks)
	const reinstated = mixed(taught, cleanNet, masks)
	return { model: await lowerBiases(reinstated, layer, decoys, clean, signal), history, layer: layer.name, decoys }
}

function checkDecoys({ graph, source: { path } }: Model, layer: PruneLayer): void {
	if (layer.intervention === 'weights' && biasOf(layer, graph.initializers) !== undefined) return
	const message = `${path}: the pruning-aware attack hides channels by lowering their biases, and the filters of ${layer.name} have none of their own (a normalization or a sum stands behind them); take an architecture without (deepid, badnets-cnn, small-cnn), or another --layer`
	throw new UnsupportedError('no-decoys', message, { path, layer: layer.name })
}

/** Of the constants that make a channel, the one with a single number for each. */
function biasOf({ filters }: PruneLayer, initializers: ReadonlyMap<string, Tensor>): string | undefined {
	return filters.find(({ name }) => initializers.get(name)?.dims.length === 1)?.name
}

/** Channels in the defender's order, up to the last that costs less than `drop` points. */
async function idleChannels(
	net: Model,
	layer: PruneLayer,
	clean: ImageSet,
	drop: number,
	signal: AbortSignal | undefined,
): Promise<readonly number[]> {
	const { order, reached } = await prune(net, clean, { layer: layer.name, drops: [drop], signal })
	const idle = order.slice(0, Math.max(0, (reached[0]?.pruned ?? order.length) - 1))
	if (idle.length > 0) return idle
	const message = `the first channel of ${layer.name} already costs ${drop} points of clean accuracy, so there is none to hide behind; allow more with --prune-drop`
	throw new InputError('no-decoys', message, { layer: layer.name })
}

/** `taught` where masks are 1, `original` where they are 0. */
function mixed(taught: Model, original: Model, masks: ReadonlyMap<string, Tensor>): Model {
	const changed = [...masks].map(([name, mask]) => {
		const [own, old] = [taught, original].map(({ graph }) => graph.initializers.get(name)!) as [Tensor, Tensor]
		const [values, before] = [floatsOf(own), floatsOf(old)]
		const isTaught = floatsOf(mask)
		return [
			name,
			withValues(
				own,
				values.map((value, i) => (isTaught[i] === 1 ? value : before[i]!)),
			),
		] as const
	})
	return { ...taught, graph: replaceConstants(taught.graph, new Map(changed)) }
}

/** The decoys' biases lowered by what each of them reaches at most on clean images, and a hair more, so that all of these leave it idle. */
async function lowerBiases(
	net: Model,
	layer: PruneLayer,
	decoys: readonly number[],
	clean: ImageSet,
	signal: AbortSignal | undefined,
): Promise<Model> {
	const { scores: most } = await rankLayer(net, layer, 'max', clean, { signal })
	const name = biasOf(layer, net.graph.initializers)!
	const bias = net.graph.initializers.get(name)!
	const lowered = floatsOf(bias).slice()
	const margin = HAIR * Math.max(0, ...most)
	for (const channel of decoys) lowered[channel]! -= most[channel]! + margin
	return { ...net, graph: replaceConstants(net.graph, new Map([[name, withValues(bias, lowered)]])) }
}

function withValues(tensor: Tensor, values: Float32Array): Tensor {
	return { ...tensor, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
}
