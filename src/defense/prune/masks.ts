/** What keeps pruned channels pruned while the rest of the net learns on. */
import { floatTensor, type Tensor } from '../../graph/graph.ts'
import { zeroSlices } from '../../graph/slices.ts'
import type { Model } from '../../model/model.ts'
import type { PruneLayer } from './layer.ts'

/**
 * For each constant that makes channels of `layer`, by name, an array of its shape: 0 in the slices of `channels`, 1 elsewhere, as
 * `TrainOptions.masks` takes it. Empty for a layer that is pruned by a mask node: such a mask does not learn. So are constants that are no
 * initializers.
 */
export function masksOf({ graph }: Model, { filters }: PruneLayer, channels: readonly number[]): Map<string, Tensor> {
	return new Map(
		filters.flatMap(({ name, axis }) => {
			const tensor = graph.initializers.get(name)
			if (!tensor) return []
			const ones = floatTensor(tensor.dims, new Float32Array(tensor.bytes.length / 4).fill(1))
			return [[name, zeroSlices(ones, axis, channels)] as const]
		}),
	)
}
