/**
 * `clp`: channels that can amplify a small change of the image most go first, since that is what a trigger exploits. Needs no data.
 * Channel Lipschitzness based Pruning (Zheng et al., ECCV 2022, arXiv:2208.03111, sections 3.3 and 4): the upper bound of a channel's
 * Lipschitz constant is the largest singular value of its kernel reshaped to `[in, kh·kw]`, times `|γ / √(σ² + ε)|` of the batch
 * normalization directly behind it. A channel is pruned where its bound exceeds `mean + u · std` of its layer.
 *
 * The authors' code leaves ε out; with it the factor is exactly what the layer multiplies by, and finite for a channel of variance 0.
 */
import { normalizationBehind } from '../../../graph/channels.ts'
import type { Node } from '../../../graph/graph.ts'
import { type Normalization, readNormalization } from '../../../graph/normalization.ts'
import type { Model } from '../../../model/model.ts'
import { convolutionPlaces, silencedAt } from '../whole-net-places.ts'
import { type Filter, scoreFilters } from './kernel.ts'
import type { Ranking } from './ranking.ts'
import { spectralNorm } from './spectral-norm.ts'

/**
 * The upper bound of each channel's Lipschitz constant, ≥ 0.
 *
 * @param normalization the batch normalization that reads the layer's output and nothing else; null where there is none
 */
export function lipschitzBounds(filters: readonly Filter[], normalization: Normalization | null): number[] {
	return filters.map((filter, channel) => {
		if (!normalization) return spectralNorm(filter)
		const { scale, variance, epsilon } = normalization
		return spectralNorm(filter) * Math.abs(scale[channel]! / Math.sqrt(variance[channel]! + epsilon))
	})
}

function normalizationOf({ graph }: Model, producer: Node): Normalization | null {
	const node = normalizationBehind(graph, producer)
	return node && readNormalization(graph, node)
}

export const clp: Ranking = {
	quantity: 'upper bound of the channel Lipschitz constant',
	first: 'highest',
	isSuspicion: true,
	across: {
		by: 'standard-score',
		placesIn: convolutionPlaces,
		missing: 'clp ranks the filters of convolutions, and the net has none',
	},
	placeFor(model, layer) {
		const [producer, second] = layer.producers
		const normalization = producer && !second ? normalizationOf(model, producer.node) : null
		return normalization ? silencedAt(model, layer, normalization) : layer
	},
	needs: 'weights',
	score: (model, layer) =>
		scoreFilters(model, layer, 'clp', (filters, node) => lipschitzBounds(filters, normalizationOf(model, node))),
}
