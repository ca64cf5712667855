/** The filters of a layer, one channel at a time. */
import { floatsOf, type Node, type Tensor } from '../../../graph/graph.ts'
import { constantOf } from '../../../graph/query.ts'
import type { Model } from '../../../model/model.ts'
import { nodeName, type PruneLayer } from '../layer.ts'
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

/** The filters of the convolution or dense layer that makes the channels of `layer`, for the ranking called `rank`. */
export function filtersOfLayer(model: Model, layer: PruneLayer, rank: string): Filter[] {
	const node = producerOf(model, layer)
	const kernel = constantOf(model.graph, node?.inputs[1] ?? '')
	const filters = node && kernel?.dtype === 'float32' ? filtersOf(kernel, channelAxis(node, layer)) : []
	if (filters.length === layer.channels) return filters
	const reason = node
		? `${rank} needs float32 filters, one a channel; those of ${layer.producer} are ${kernel ? `${kernel.dtype} [${kernel.dims.join(', ')}]` : 'computed'}`
		: `${rank} ranks filters, and the channels of ${layer.name} are not made by those of one layer; see goodnet inspect for layers that have a producer`
	throw doesNotApply(model, layer.name, reason)
}

/** The node whose filters make the channels of `layer`. */
export function producerOf({ graph }: Model, { producer }: PruneLayer): Node | undefined {
	return producer === null ? undefined : graph.nodes.find((node) => nodeName(node) === producer)
}

/** The axis of the kernel that counts output channels. */
function channelAxis(node: Node, { intervention, filters }: PruneLayer): number {
	if (intervention === 'weights' && filters[0]) return filters[0].axis
	return node.op === 'ConvTranspose' ? 1 : 0
}
