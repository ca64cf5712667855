/** A net with channels pruned: the model that the defense hands out. */
import type { Intervention } from '../../contracts/prune-run.ts'
import { InputError } from '../../errors.ts'
import { zeroChannels } from '../../graph/edit.ts'
import { maskValue } from '../../graph/mask.ts'
import type { Model } from '../../model/model.ts'
import type { PruneLayer } from './layer.ts'

/** What was done to one layer of a net, as it is recorded in a GoodNet's metadata. */
export interface PruningRecord {
	readonly layer: string
	readonly channels: readonly number[]
	readonly intervention: Intervention
}

/** A model with channels silenced. */
export interface RepairedModel extends Model {
	/** One record for each layer that was pruned. */
	readonly pruning: readonly PruningRecord[]
}

/**
 * `model` with `channels` of `layer` pruned as the layer says: constants zeroed, or a mask behind the layer where that would not silence them.
 * The given model stays as it was.
 *
 * @param channels channel numbers 0..C−1, without repetition
 * @throws InputError `bad-channels`
 */
export function pruneChannels(model: Model, layer: PruneLayer, channels: readonly number[]): RepairedModel {
	checkChannels(model, layer, channels)
	const { name, axis, channels: count, intervention, filters } = layer
	const graph =
		intervention === 'mask'
			? maskValue(model.graph, name, { channels, count, axis, rank: layer.shape.length })
			: zeroChannels(model.graph, filters, channels)
	return { ...model, graph, pruning: [{ layer: name, channels: [...channels], intervention }] }
}

/**
 * `model` with channels of several layers pruned, each as its layer says. The given model stays as it was.
 *
 * @param units channel numbers where there is one layer; else those of all layers numbered through, in the order given
 * @throws InputError `bad-channels`
 */
export function pruneUnits(model: Model, layers: readonly PruneLayer[], units: readonly number[]): RepairedModel {
	const [only, ...others] = layers
	if (only && others.length === 0) return pruneChannels(model, only, units)
	let repaired: RepairedModel = { ...model, pruning: [] }
	let first = 0
	for (const layer of layers) {
		const channels = units.filter((unit) => unit >= first && unit < first + layer.channels).map((unit) => unit - first)
		first += layer.channels
		if (channels.length === 0) continue
		const next = pruneChannels(repaired, layer, channels)
		repaired = { ...next, pruning: [...repaired.pruning, ...next.pruning] }
	}
	return repaired
}

/** @throws InputError `bad-channels` for numbers outside the layer, or named twice */
export function checkChannels(model: Model, layer: PruneLayer, channels: readonly number[]): void {
	const bad = channels.find((channel) => !Number.isInteger(channel) || channel < 0 || channel >= layer.channels)
	const twice = channels.find((channel, i) => channels.indexOf(channel) !== i)
	const { path } = model.source
	if (bad !== undefined) {
		const message = `${path}: layer ${layer.name} has channels 0..${layer.channels - 1}; found ${bad}`
		throw new InputError('bad-channels', message, { path, layer: layer.name })
	}
	if (twice !== undefined) {
		throw new InputError('bad-channels', `${path}: channel ${twice} is named twice`, { path, layer: layer.name })
	}
}
