/** Pruning without any data, by a ranking that reads weights alone and is published with a threshold. */
import { ALL_LAYERS, type RankingRecord, type RankName } from '../../contracts/prune-run.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { layersAcross, rankUnits } from './across-layers.ts'
import { type Choice, countAbove } from './curve.ts'
import { chooseLayer, type PruneLayer } from './layer.ts'
import { orderChannels, standardScores } from './rank/order.ts'
import { checkThreshold, layerFor, rankLayer } from './rank/rank-layer.ts'
import { RANKINGS } from './rank/rankings.ts'
import { pruneUnits, type RepairedModel } from './repaired.ts'

export interface BlindOptions {
	readonly rank: RankName
	/** Prune what lies more than this many standard deviations above the mean of its layer. */
	readonly u: number
	/** Default: the last pooling layer; `all`: across layers. */
	readonly layer?: string | undefined
}

/** What was pruned, unmeasured. */
export interface BlindPruning {
	readonly layers: readonly PruneLayer[]
	/** Channel or unit numbers, first pruned first. */
	readonly order: readonly number[]
	readonly ranking: RankingRecord
	readonly choice: Choice
	readonly repaired: RepairedModel
}

/**
 * Prunes what a ranking without data finds suspicious.
 *
 * @throws UsageError `needs-data` for a ranking that looks at images, `no-threshold`; UnsupportedError `rank-does-not-apply`;
 *   InputError `nothing-above-threshold`
 */
export async function pruneBlindly(model: Model, { rank, u, layer }: BlindOptions): Promise<BlindPruning> {
	checkBlind(rank)
	const isAcross = layer === ALL_LAYERS
	const layers = isAcross ? layersAcross(model, rank) : [layerFor(model, chooseLayer(model, layer), rank)]
	const [only] = layers as [PruneLayer] // there is one at least
	const ranking = isAcross ? await rankUnits(model, layers, null, { rank }) : await rankLayer(model, only, rank, null)
	const order = orderChannels(ranking.scores, ranking.first)
	const scores = isAcross ? ranking.scores : standardScores(ranking.scores)
	const pruned = countAbove(scores, u, model.source.path)
	const choice = { chosenBy: 'threshold', drop: null, u, pruned } as const
	return { layers, order, ranking, choice, repaired: pruneUnits(model, layers, order.slice(0, pruned)) }
}

/** @throws UsageError `needs-data`, `no-threshold` */
export function checkBlind(rank: RankName): void {
	checkThreshold(rank)
	if (RANKINGS[rank].needs !== 'images') return
	throw new UsageError('needs-data', `${rank} looks at clean images; name some with --valid PATH`)
}
