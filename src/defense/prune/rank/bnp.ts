/**
 * `bnp`: channels whose pre-activations on clean images differ most from what batch normalization remembers of training go first: a
 * poisoned training set left its mark in the stored statistics of backdoor channels. Batch Normalization statistics based Pruning
 * (Zheng et al., "Pre-activation Distributions Expose Backdoor Neurons", NeurIPS 2022, section 4): with normal distributions of the
 * clean images' mean μ and variance s and of the stored m and v, the divergence of the first from the second is
 * `KL = log(√v / √s) + (s + (μ − m)²) / 2v − ½`. A channel is pruned where it exceeds `mean + u · std` of its layer.
 *
 * The authors add nothing to the variances. We add the layer's own ε to both, as normalization does: a channel that is dead on clean
 * images has `s = 0` and an infinite divergence, which would make mean and std of its whole layer useless.
 */
import { type Normalization, readNormalization } from '../../../graph/normalization.ts'
import type { Model } from '../../../model/model.ts'
import { type ChannelLayout, channelLayout, eachRun } from '../channel-layout.ts'
import type { PruneLayer } from '../layer.ts'
import { normalizationPlaces, silencedAt } from '../whole-net-places.ts'
import { chainBefore } from './chain.ts'
import { doesNotApply, type Ranking } from './ranking.ts'
import type { ChannelStatistic } from './statistic.ts'

/**
 * Divergence of the clean images' distribution from the stored one, ≥ 0 up to rounding. Mean and variance are collected by the pairwise
 * update of Chan, Golub and LeVeque (1979), which cancels nothing; the variance is the unbiased one, as in the authors' code.
 */
export class StatisticsDivergence implements ChannelStatistic {
	private readonly means: Float64Array
	/** Sums of squared deviations from the mean. */
	private readonly squares: Float64Array
	private readonly layout: ChannelLayout
	private readonly stored: Normalization
	/** Numbers seen of each channel. */
	private seen = 0

	/** @param layout of what the normalization reads */
	constructor(layout: ChannelLayout, stored: Normalization) {
		this.layout = layout
		this.stored = stored
		this.means = new Float64Array(layout.channels)
		this.squares = new Float64Array(layout.channels)
	}

	add(values: Float32Array, count: number): void {
		const { channels, outer, inner } = this.layout
		const fresh = count * outer * inner
		const sums = new Float64Array(channels)
		eachRun(this.layout, count, (channel, begin, end) => {
			let sum = 0
			for (let i = begin; i < end; i++) sum += values[i]!
			sums[channel]! += sum
		})
		const means = sums.map((sum) => sum / fresh)
		const squares = new Float64Array(channels)
		eachRun(this.layout, count, (channel, begin, end) => {
			const mean = means[channel]!
			let sum = 0
			for (let i = begin; i < end; i++) sum += (values[i]! - mean) ** 2
			squares[channel]! += sum
		})
		this.merge(means, squares, fresh)
	}

	private merge(means: Float64Array, squares: Float64Array, fresh: number): void {
		const total = this.seen + fresh
		for (const [channel, mean] of means.entries()) {
			const delta = mean - this.means[channel]!
			this.means[channel]! += (delta * fresh) / total
			this.squares[channel]! += squares[channel]! + (delta ** 2 * this.seen * fresh) / total
		}
		this.seen = total
	}

	result(): number[] {
		const { mean, variance, epsilon } = this.stored
		return [...this.means].map((clean, channel) => {
			const s = this.squares[channel]! / Math.max(1, this.seen - 1) + epsilon
			const v = variance[channel]! + epsilon
			return Math.log(Math.sqrt(v) / Math.sqrt(s)) + (s + (clean - mean[channel]!) ** 2) / (2 * v) - 1 / 2
		})
	}

	state(): number[] {
		return [this.seen, ...this.means, ...this.squares]
	}

	restore([seen = 0, ...rest]: readonly number[]): void {
		this.seen = seen
		this.means.set(rest.slice(0, this.layout.channels))
		this.squares.set(rest.slice(this.layout.channels))
	}
}

/** The last normalization on the way to `layer`. */
function normalizationBefore(model: Model, layer: PruneLayer): Normalization {
	for (const { node } of chainBefore(model.graph, layer.name, layer.axis)) {
		const found = readNormalization(model.graph, node)
		if (found) return found
	}
	const reason = `bnp reads what batch normalization remembers of training, and none stands before ${layer.name} as a layer of its own (exporters fold it into the convolution); take clp, or a model file that still has it`
	throw doesNotApply(model, layer.name, reason)
}

export const bnp: Ranking = {
	quantity: 'divergence from the stored statistics',
	first: 'highest',
	isSuspicion: true,
	across: {
		by: 'standard-score',
		placesIn: normalizationPlaces,
		missing:
			'bnp reads what batch normalization remembers of training, and the net has none as a layer of its own (exporters fold it into the convolution); rank by clp, or take a model file that still has it',
	},
	placeFor: (model, layer) => silencedAt(model, layer, normalizationBefore(model, layer)),
	needs: 'images',
	probe(model, layer) {
		const normalization = normalizationBefore(model, layer)
		const { shape } = model.values.get(normalization.input)!
		const layout = channelLayout({ shape: shape!, axis: 1, channels: layer.channels })
		return { value: normalization.input, statistic: new StatisticsDivergence(layout, normalization) }
	},
}
