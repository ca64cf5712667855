/** `mean`: channels that are quiet on clean images go first (fine-pruning, Liu et al. 2018, arXiv:1805.12185, section 4). */
import { type ChannelLayout, channelLayout, eachRun } from '../channel-layout.ts'
import type { Ranking } from './ranking.ts'
import type { ChannelStatistic } from './statistic.ts'

/** Mean over images and positions; sums in float64, so that the order of batches does not matter much. */
export class MeanActivation implements ChannelStatistic {
	private readonly sums: Float64Array
	private readonly layout: ChannelLayout
	private images = 0

	constructor(layout: ChannelLayout) {
		this.layout = layout
		this.sums = new Float64Array(layout.channels)
	}

	add(values: Float32Array, count: number): void {
		eachRun(this.layout, count, (channel, begin, end) => {
			let sum = 0
			for (let i = begin; i < end; i++) sum += values[i]!
			this.sums[channel]! += sum
		})
		this.images += count
	}

	result(): number[] {
		const { outer, inner } = this.layout
		return [...this.sums].map((sum) => sum / (this.images * outer * inner))
	}

	state(): number[] {
		return [this.images, ...this.sums]
	}

	restore([images = 0, ...sums]: readonly number[]): void {
		this.images = images
		this.sums.set(sums)
	}
}

export const mean: Ranking = {
	quantity: 'mean activation',
	first: 'lowest',
	isSuspicion: false,
	across: null,
	needs: 'images',
	probe: (_, layer) => ({ value: layer.name, statistic: new MeanActivation(channelLayout(layer)) }),
}
