/** MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381): inverted residuals with depthwise convolutions and ReLU6. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, type Feature, NetBuilder } from './builder.ts'

export interface MobileNetOptions extends ArchitectureOptions {
	/** Channels of the stem, of each stage (two blocks each), and of the last 1×1 convolution. */
	readonly widths?: readonly number[]
	/** How much wider the depthwise convolution is than the block: 6 in the paper. */
	readonly expansion?: number
}

export function mobileNet({ widths = [8, 8, 12, 24], expansion = 2, ...options }: MobileNetOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.relu6(net.convNorm(net.input, 'stem', widths[0]!))
	for (const [stage, channels] of widths.slice(1, -1).entries()) {
		for (const i of [0, 1]) {
			x = invertedResidual(net, x, `stage${stage + 1}.${i}`, channels, i === 0 ? 2 : 1, expansion)
		}
	}
	const last = net.relu6(net.convNorm(x, 'last', widths.at(-1)!, { kernel: 1 }))
	return net.classify(net.flatten(net.globalPool(last, 'pool'), 'flat'))
}

function invertedResidual(
	net: NetBuilder,
	x: Feature,
	name: string,
	channels: number,
	stride: number,
	expansion: number,
): Feature {
	const hidden = x.channels * expansion
	const expanded = net.relu6(net.convNorm(x, `${name}.expand`, hidden, { kernel: 1 }))
	const depthwise = net.relu6(net.convNorm(expanded, `${name}.depthwise`, hidden, { stride, group: hidden }))
	const projected = net.convNorm(depthwise, `${name}.project`, channels, { kernel: 1 })
	return stride === 1 && channels === x.channels ? net.add(projected, x, `${name}.sum`) : projected
}
