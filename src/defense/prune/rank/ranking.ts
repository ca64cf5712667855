/**
 * What a ranking is: it gives each channel of a layer a score, from its weights or from clean images, and says which end of the scores
 * is pruned first.
 */
import { UnsupportedError } from '../../../errors.ts'
import type { Model } from '../../../model/model.ts'
import type { PruneLayer } from '../layer.ts'
import type { FirstPruned } from './order.ts'
import type { ChannelStatistic } from './statistic.ts'

interface RankingFacts {
	/** What its scores are, as a heading. */
	readonly quantity: string
	readonly first: FirstPruned
	/**
	 * Does it put suspicious channels first, not idle ones? Such a ranking is published with a threshold `u` in standard deviations above
	 * the mean of the layer, and accuracy holds until the suspicious channels are gone: the curve has an elbow.
	 */
	readonly isSuspicion: boolean
	/** How `--layer all` orders channels of different layers; null where the published method ranks within one layer only. */
	readonly across: Across | null
	/** The layer, silenced where the published method does it. @throws UnsupportedError `rank-does-not-apply` */
	readonly placeFor?: (model: Model, layer: PruneLayer) => PruneLayer
}

/** A ranking of the whole net: `score` compares as it is, `standard-score` in standard deviations from the mean of the layer. */
export interface Across {
	readonly by: 'score' | 'standard-score'
	/** The layers that it ranks, each where it silences them. */
	readonly placesIn: (model: Model) => PruneLayer[]
	/** What to say where a net has none. */
	readonly missing: string
}

/** A value to look at while clean images pass, and what to collect of it. */
export interface Probe {
	readonly value: string
	readonly statistic: ChannelStatistic
}

/** Where the scores come from. All throw UnsupportedError `rank-does-not-apply` for a layer that lacks what they look at. */
type Source =
	| { readonly needs: 'weights'; readonly score: (model: Model, layer: PruneLayer) => number[] }
	| { readonly needs: 'images'; readonly probe: (model: Model, layer: PruneLayer) => Probe }
	| { readonly needs: 'seed' }

export type Ranking = RankingFacts & Source

/** For a layer that lacks what a ranking looks at: never rank by something else instead. */
export function doesNotApply(model: Model, layer: string, reason: string): UnsupportedError {
	const { path } = model.source
	return new UnsupportedError('rank-does-not-apply', `${path}: ${reason}`, { path, layer })
}
