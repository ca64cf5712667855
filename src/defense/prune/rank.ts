/** Which channels first: ranking by mean activation on clean images (fine-pruning, arXiv:1805.12185, section 4). */

import type { PruneLayer } from './layer.ts'
import type { LayerBatch } from './trunk.ts'

/** Collects the mean of every channel over images and positions; sums in float64, so that the order of batches does not matter much. */
export class MeanActivation {
	private readonly sums: Float64Array
	private readonly layer: PruneLayer
	private images = 0

	constructor(layer: PruneLayer) {
		this.layer = layer
		this.sums = new Float64Array(layer.channels)
	}

	add({ count, feeds }: LayerBatch): void {
		const data = feeds[this.layer.name]!.data as Float32Array // float32: `cutModel` checked
		const { outer, inner } = channelStrides(this.layer)
		const { channels } = this.layer
		for (let block = 0, at = 0; block < count * outer; block++) {
			for (let channel = 0; channel < channels; channel++) {
				let sum = 0
				for (let i = 0; i < inner; i++) sum += data[at++]!
				this.sums[channel]! += sum
			}
		}
		this.images += count
	}

	/** The means, by channel number. */
	result(): number[] {
		const { outer, inner } = channelStrides(this.layer)
		return [...this.sums].map((sum) => sum / (this.images * outer * inner))
	}
}

/** Channels in pruning order: lowest mean first, ties by channel number. */
export function rankChannels(meanActivation: readonly number[]): number[] {
	return [...meanActivation.keys()].sort((a, b) => meanActivation[a]! - meanActivation[b]! || a - b)
}

/** How one image's channels lie in memory: `outer` runs of C·`inner` values, `inner` values a channel. */
export function channelStrides({ shape, axis }: Pick<PruneLayer, 'shape' | 'axis'>): {
	readonly outer: number
	readonly inner: number
} {
	const product = (dims: readonly unknown[]) => dims.reduce<number>((a, b) => a * Number(b), 1)
	return { outer: product(shape.slice(1, axis)), inner: product(shape.slice(axis + 1)) }
}
