/** The repaired net made small: what went, what had to stay and why, and how much faster it is. */
import { elementCount, type Graph } from '../../graph/graph.ts'
import { type CompactDetails, compactWithDetails } from '../../model/compact.ts'
import { compareModels } from '../../model/compare.ts'
import type { Model } from '../../model/model.ts'
import type { PruneLayer } from './layer.ts'
import type { RepairedModel } from './repaired.ts'

export interface CompactOptions {
	readonly signal?: AbortSignal | undefined
	/** Milliseconds, for the comparison of speeds. */
	readonly now?: (() => number) | undefined
}

/** What compacting a repaired net came to. */
export interface CompactResult {
	/** Null where nothing could be removed. */
	readonly model: Model | null
	/** Pruned channels of the layer that are gone. */
	readonly removed: number
	/** Why the others stay; null where all are gone. */
	readonly reason: string | null
	readonly parameters: { readonly before: number; readonly after: number }
	/** Null where there is no model. */
	readonly secondsPerImage: { readonly before: number; readonly after: number } | null
}

/**
 * The largest difference of logits that we call the same answer, relative to the largest logit: both nets sum the same numbers, the
 * small one in another order.
 */
const TOLERANCE = 1e-4

/**
 * Removes the pruned channels of `repaired` for real, as far as that changes no answer, and measures both nets side by side.
 *
 * @param layers the layers that were pruned, others may be among them
 */
export async function compactRepaired(
	repaired: RepairedModel,
	layers: readonly PruneLayer[],
	options: CompactOptions = {},
): Promise<CompactResult> {
	const { model, details } = await compactWithDetails(repaired)
	const stays = repaired.pruning.map(({ layer, channels }) => stayingChannels(details, layer, channels))
	const reasons = stays.flatMap(({ layer, constants }) =>
		constants.length === 0 ? [] : [whyKept(layers.find(({ name }) => name === layer)!, constants)],
	)
	const reason = reasons.length === 0 ? null : reasons.join('; ')
	const parameters = { before: parameterCount(repaired.graph), after: parameterCount(model.graph) }
	if (parameters.after >= parameters.before) return nothing(parameters.before, reason ?? 'no channel was pruned')
	const { difference, secondsPerImage } = await compareModels(repaired, model, options)
	if (!(difference <= TOLERANCE)) {
		const found = `its answers would differ by ${difference.toExponential(1)} of the largest logit`
		return nothing(parameters.before, found)
	}
	const pruned = repaired.pruning.reduce((sum, { channels }) => sum + channels.length, 0)
	const removed = stays.reduce((left, { constants }) => left - constants.length, pruned)
	return { model, removed, reason, parameters, secondsPerImage }
}

/** The pruned channels of a layer that are still there, each with its constant: NaN where that differs from place to place. */
function stayingChannels({ layouts, constants }: CompactDetails, layer: string, channels: readonly number[]) {
	const left = layouts.get(layer)
	const kept = left ? channels.filter((channel) => left.includes(channel)) : channels
	return { layer, constants: kept.map((channel) => constants.get(layer)?.[channel] ?? Number.NaN) }
}

function nothing(parameters: number, reason: string): CompactResult {
	const unchanged = { before: parameters, after: parameters }
	return { model: null, removed: 0, reason, parameters: unchanged, secondsPerImage: null }
}

/** @param constants what is left of each channel that stays: a number, NaN where it differs from place to place */
function whyKept({ name, consumers }: PruneLayer, constants: readonly number[]): string {
	const subject = constants.length === 1 ? '1 channel stays' : `${constants.length} channels stay`
	const tied = consumers.find(({ kind }) => kind === 'sum' || kind === 'product' || kind === 'other')
	if (tied) return `${subject}: ${tied.name} (${tied.op}) combines them with channels that are in use`
	const reader = consumers.find(({ kind }) => kind === 'convolution' || kind === 'dense')?.name ?? 'the next layer'
	if (constants.some((value) => value !== 0 && !Number.isNaN(value))) {
		return `${subject}: silenced, they are constants other than zero, to which ${reader} adds padding`
	}
	return `${subject}: what reads ${name} needs its channels in equal groups, or all at once`
}

/** Numbers in constants of any type. */
export function parameterCount({ initializers, nodes }: Graph): number {
	const constants = nodes.flatMap(({ attributes: { value } }) => (value?.type === 'tensor' ? [value.value] : []))
	return [...initializers.values(), ...constants].reduce((sum, { dims }) => sum + elementCount(dims), 0)
}
