/** One layer ranked. */
import type { RankingRecord, RankName } from '../../../contracts/prune-run.ts'
import type { ImageSet } from '../../../data/image-set.ts'
import { UsageError } from '../../../errors.ts'
import type { Model } from '../../../model/model.ts'
import type { PruneLayer } from '../layer.ts'
import { RANKINGS } from './rankings.ts'
import { type ScoreOptions, scoreLayers } from './score.ts'

/** `layer` as the ranking's published method silences its channels. @throws UnsupportedError `rank-does-not-apply` */
export function layerFor(model: Model, layer: PruneLayer, rank: RankName): PruneLayer {
	return RANKINGS[rank].placeFor?.(model, layer) ?? layer
}

/**
 * The channels of one layer, scored.
 *
 * @param valid clean images, for the rankings that look at some
 * @throws UnsupportedError `rank-does-not-apply`
 */
export async function rankLayer(
	model: Model,
	layer: PruneLayer,
	rank: RankName,
	valid: ImageSet | null,
	options: ScoreOptions = {},
): Promise<RankingRecord> {
	const [scores] = (await scoreLayers(rank, model, [layer], valid, options)) as [number[]]
	return rankingRecord(rank, scores, options)
}

/** The record of a ranking. */
export function rankingRecord(
	rank: RankName,
	scores: readonly number[],
	{ seed = 0 }: Pick<ScoreOptions, 'seed'> = {},
): RankingRecord {
	const { quantity, first, needs } = RANKINGS[rank]
	return { name: rank, quantity, first, scores: [...scores], seed: needs === 'seed' ? seed : null }
}

/** @throws UsageError `no-threshold` for a ranking whose published method has no threshold */
export function checkThreshold(rank: RankName): void {
	if (RANKINGS[rank].isSuspicion) return
	const able = Object.entries(RANKINGS).flatMap(([name, ranking]) => (ranking.isSuspicion ? [name] : []))
	const message = `${rank} is not published with a threshold of standard deviations; --u goes with ${able.join(' and ')}`
	throw new UsageError('no-threshold', message)
}
