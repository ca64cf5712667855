/** What fine-pruning prunes: channels that are idle on clean images, as long as clean accuracy holds. */

import type { z } from 'zod'
import type { CandidateRecord } from '../../contracts/repair-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { UnsupportedError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { pointsLost } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import { defaultLayer, nothingToPrune, type PruneLayer, prunableLayers } from '../prune/layer.ts'
import { masksOf } from '../prune/masks.ts'
import { prune } from '../prune/prune.ts'
import { type PruningRecord, pruneChannels } from '../prune/repaired.ts'

export interface IdlePruned {
	readonly model: Model
	readonly pruning: readonly PruningRecord[]
	/** Keeps the pruned channels at zero while the rest is trained. */
	readonly masks: ReadonlyMap<string, Tensor>
	/** The nets measured on the way; `amount` counts channels pruned. */
	readonly measured: readonly z.infer<typeof CandidateRecord>[]
}

export interface IdleOptions {
	/** Points of clean validation accuracy; channels are pruned while less than this is lost. */
	readonly drop: number
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * `model` with channels pruned in each of `layers` in turn, least mean activation first, while it loses less than its share of `drop`: after the
 * k-th of n layers k/n of it may be gone. Means of different layers do not compare, so no order goes across them.
 */
export async function pruneIdle(
	model: Model,
	layers: readonly PruneLayer[],
	valid: ImageSet,
	{ drop, signal, onProgress }: IdleOptions,
): Promise<IdlePruned> {
	let pruned: Omit<IdlePruned, 'measured'> = { model, pruning: [], masks: new Map() }
	const measured: z.infer<typeof CandidateRecord>[] = []
	let before = 0
	let baseline: { correct: number; total: number } | null = null
	let last: { correct: number; total: number } | null = null
	for (const [i, layer] of layers.entries()) {
		onProgress?.(i, layers.length)
		const lost = baseline && last ? pointsLost(baseline, last) : 0
		const left = (drop * (i + 1)) / layers.length - lost
		if (left <= 0) continue
		const sweep = await prune(pruned.model, valid, { layer: layer.name, drops: [left], signal })
		baseline ??= sweep.nets.get(0)!.valid
		const count = Math.max(0, (sweep.reached[0]?.pruned ?? sweep.order.length) - 1)
		for (const [at, { valid: counts }] of sweep.nets)
			if (at <= count + 1) measured.push({ amount: before + at, valid: counts })
		last = sweep.nets.get(count)!.valid
		before += count
		pruned = withPruned(pruned, layer, sweep.order.slice(0, count))
	}
	return { ...pruned, measured }
}

function withPruned(
	{ model, pruning, masks }: Omit<IdlePruned, 'measured'>,
	layer: PruneLayer,
	channels: readonly number[],
) {
	if (channels.length === 0) return { model, pruning, masks }
	const next = pruneChannels(model, layer, channels)
	return {
		model: next,
		pruning: [...pruning, ...next.pruning],
		masks: new Map([...masks, ...masksOf(model, layer, channels)]),
	}
}

/**
 * The last layer, as the paper has it, or all convolutions, the last one first.
 * @throws UnsupportedError `not-applicable` for a net without a convolution to prune
 */
export function layersToPrune(model: Model, which: string): PruneLayer[] {
	const known = prunableLayers(model)
	const last = defaultLayer(known)
	const { path } = model.source
	if (!last) {
		const message = `${path}: fine-pruning needs a convolution whose channels can be pruned, and this net has ${nothingToPrune(model, known)}`
		throw new UnsupportedError('not-applicable', message, { path })
	}
	if (which === 'last') return [last]
	// A convolution and the pooling behind it have the same filters: the later one shows what is passed on. Sums of branches have none.
	const byFilter = new Map(
		known.flatMap((layer) => (layer.isDense || !layer.filters[0] ? [] : [[layer.filters[0].name, layer]])),
	)
	return byFilter.size > 0 ? [...byFilter.values()].reverse() : [last]
}
