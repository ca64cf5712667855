/**
 * `apoz`: the Average Percentage of Zeros (Hu et al. 2016, arXiv:1607.03250, section 3.1, equation 1). `APoZ = Σ f(O = 0) / (N · M)`
 * over N images and the M positions of the map behind the ReLU; channels that are zero most often go first.
 */
import { attributeFloat, floatsOf, type Graph, type Node } from '../../../graph/graph.ts'
import { constantOf } from '../../../graph/query.ts'
import type { Model } from '../../../model/model.ts'
import { type ChannelLayout, channelLayout, eachRun } from '../channel-layout.ts'
import type { PruneLayer } from '../layer.ts'
import { chainBefore } from './chain.ts'
import { doesNotApply, type Probe, type Ranking } from './ranking.ts'
import type { ChannelStatistic } from './statistic.ts'

/** Share of zeros over images and positions, in 0..1. */
export class ShareOfZeros implements ChannelStatistic {
	private readonly zeros: Float64Array
	private readonly layout: ChannelLayout
	private images = 0

	constructor(layout: ChannelLayout) {
		this.layout = layout
		this.zeros = new Float64Array(layout.channels)
	}

	add(values: Float32Array, count: number): void {
		eachRun(this.layout, count, (channel, begin, end) => {
			let zeros = 0
			for (let i = begin; i < end; i++) if (values[i] === 0) zeros++
			this.zeros[channel]! += zeros
		})
		this.images += count
	}

	result(): number[] {
		const { outer, inner } = this.layout
		return [...this.zeros].map((zeros) => zeros / (this.images * outer * inner))
	}

	state(): number[] {
		return [this.images, ...this.zeros]
	}

	restore([images = 0, ...zeros]: readonly number[]): void {
		this.images = images
		this.zeros.set(zeros)
	}
}

/** Looks at the output of the ReLU, where zeros are counted as published, and not behind a pooling that hides most of them. */
function probeZeros(model: Model, layer: PruneLayer): Probe {
	const link = chainBefore(model.graph, layer.name, layer.axis).find(({ node }) => isRelu(model.graph, node))
	const value = model.values.get(link?.node.outputs[0] ?? '')
	if (!link || !value?.shape) {
		const reason = `apoz counts zeros behind a ReLU, and no ReLU stands before ${layer.name}; take another ranking or layer`
		throw doesNotApply(model, layer.name, reason)
	}
	const layout = channelLayout({ shape: value.shape, axis: link.axis, channels: layer.channels })
	return { value: value.name, statistic: new ShareOfZeros(layout) }
}

/** A ReLU, or one with a ceiling (ReLU6), which exporters write as `Clip` from 0. */
function isRelu(graph: Graph, node: Node): boolean {
	if (node.op !== 'Clip') return node.op === 'Relu'
	const bound = constantOf(graph, node.inputs[1] ?? '')
	return (bound?.dtype === 'float32' ? floatsOf(bound)[0] : attributeFloat(node, 'min', Number.NaN)) === 0
}

export const apoz: Ranking = {
	quantity: 'share of zeros',
	first: 'highest',
	isSuspicion: false,
	across: null,
	needs: 'images',
	probe: probeZeros,
}
