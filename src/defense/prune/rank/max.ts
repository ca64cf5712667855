/**
 * `max`: channels that never fire strongly on clean images go first. The strictest reading of "dormant" in fine-pruning (Liu et al.
 * 2018, arXiv:1805.12185, section 4), which itself takes the average: one strong answer anywhere keeps a channel.
 */
import { type ChannelLayout, channelLayout, eachRun } from '../channel-layout.ts'
import type { Ranking } from './ranking.ts'
import type { ChannelStatistic } from './statistic.ts'

/** Maximum over images and positions. */
export class MaxActivation implements ChannelStatistic {
	private readonly maxima: Float32Array
	private readonly layout: ChannelLayout

	constructor(layout: ChannelLayout) {
		this.layout = layout
		this.maxima = new Float32Array(layout.channels).fill(Number.NEGATIVE_INFINITY)
	}

	add(values: Float32Array, count: number): void {
		eachRun(this.layout, count, (channel, begin, end) => {
			let max = this.maxima[channel]!
			for (let i = begin; i < end; i++) if (values[i]! > max) max = values[i]!
			this.maxima[channel] = max
		})
	}

	result(): number[] {
		return [...this.maxima]
	}

	state(): number[] {
		return this.result()
	}

	restore(state: readonly number[]): void {
		this.maxima.set(state)
	}
}

export const max: Ranking = {
	quantity: 'maximum activation',
	first: 'lowest',
	isSuspicion: false,
	across: null,
	needs: 'images',
	probe: (_, layer) => ({ value: layer.name, statistic: new MaxActivation(channelLayout(layer)) }),
}
