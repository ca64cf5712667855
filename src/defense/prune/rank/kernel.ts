/** The filters of a layer, one channel at a time. */
import { floatsOf, type Node, nodeName, type Tensor } from '../../../graph/graph.ts'
import { constantOf } from '../../../graph/query.ts'
import type { Model } from '../../../model/model.ts'
import type { PruneLayer } from '../layer.ts'
import { doesNotApply } from './ranking.ts'

/** The kernel of one output channel as a matrix `[rows, columns]`, row-major: input channels against positions of the window. */
export interface Filter {
	readonly values: Float64Array
	readonly rows: number
	readonly columns: number
}

/**
 * The filters of a float32 kernel, by channel number.
 *
 * @param kernel `[out, in, kh, kw]` of a convolution, `[in, out, kh, kw]` of a transposed one, `[in, out]` or `[out, in]` of a dense
 *   layer, whose window has one position
 * @param axis the one that counts output channels
 */
export function filtersOf(kernel: Tensor, axis: number): Filter[] {
	const weights = floatsOf(kernel)
	const channels = kernel.dims[axis]!
	const [rows = 1, ...window] = kernel.dims.filter((_, i) => i !== axis)
	const columns = window.reduce((a, b) => a * b, 1)
	const inner = kernel.dims.slice(axis + 1).reduce((a, b) => a * b, 1)
	return Array.from({ length: channels }, (_, channel) => {
		const values = Float64Array.from({ length: rows * columns }, (_, i) => {
			const outer = Math.floor(i / inner)
			return weights[(outer * channels + channel) * inner + (i % inner)]!
		})
		return { values, rows, columns }
	})
}

/**
 * A score for each channel of `layer` from the filter that makes it, behind a concatenation too.
 *
 * @param rank name of the ranking, for its errors
 * @param score scores of one producer's filters, which end in `node`
 * @throws UnsupportedError `rank-does-not-apply` where no filter or more than one makes a channel, or filters are not float32
 */
export function scoreFilters(
	model: Model,
	layer: PruneLayer,
	rank: string,
	score: (filters: readonly Filter[], node: Node) => readonly number[],
): number[] {
	const scores: number[] = []
	for (const { node, filters, offset } of layer.producers) {
		const [kernel] = filters
		const tensor = kernel && constantOf(model.graph, kernel.name)
		if (tensor?.dtype !== 'float32') {
			throw doesNotApply(
				model,
				layer.name,
				`${rank} needs float32 filters; those of ${nodeName(node)} are ${tensor?.dtype}`,
			)
		}
		for (const [filter, value] of score(filtersOf(tensor, kernel!.axis), node).entries()) {
			if (scores[offset + filter] !== undefined) throw doesNotApply(model, layer.name, tied(layer, rank))
			scores[offset + filter] = value
		}
	}
	if (scores.length === layer.channels && !scores.includes(undefined as never)) return scores // holes read as undefined
	const reason = `${rank} ranks filters, and no convolution or dense layer makes the channels of ${layer.name}; see goodnet inspect for layers that have a producer`
	throw doesNotApply(model, layer.name, reason)
}

function tied({ name, producers }: PruneLayer, rank: string): string {
	const names = producers.map(({ node }) => nodeName(node)).join(', ')
	return `${rank} ranks filters, and the channels of ${name} are sums over several (${names}); name a layer of one branch`
}
