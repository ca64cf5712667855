/** ResNets for small images (He et al. 2015, arXiv:1512.03385; pre-activation: He et al. 2016, arXiv:1603.05027), 3×3 stem, no stem pooling. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, type Feature, NetBuilder } from './builder.ts'

export interface ResNetOptions extends ArchitectureOptions {
	/** Channels of each stage; the published 64-128-256-512 by default. */
	readonly widths?: readonly number[]
	/** Blocks in each stage: 2, as in a ResNet-18. */
	readonly blocks?: number
}

/** ResNet-18: convolution, normalization, sum, activation. */
export function resNet({ widths = [64, 128, 256, 512], blocks = 2, ...options }: ResNetOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.relu(net.convNorm(net.input, 'stem', widths[0]!))
	for (const { name, channels, stride } of blockList(widths, blocks)) x = basicBlock(net, x, name, channels, stride)
	return net.classify(net.flatten(net.globalPool(x, 'pool'), 'flat'))
}

/** PreActResNet-18: normalization and activation stand before each convolution, and the sum is passed on as it is. */
export function preActResNet({ widths = [64, 128, 256, 512], blocks = 2, ...options }: ResNetOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.conv(net.input, 'stem.conv', widths[0]!)
	for (const { name, channels, stride } of blockList(widths, blocks)) x = preActBlock(net, x, name, channels, stride)
	const last = net.relu(net.batchNorm(x, 'last.bn'))
	return net.classify(net.flatten(net.globalPool(last, 'pool'), 'flat'))
}

/** Name, width and stride of every block of a net in stages: the first block of each stage but the first halves the map. */
export function blockList(widths: readonly number[], blocks: number) {
	return widths.flatMap((channels, stage) =>
		Array.from({ length: blocks }, (_, i) => ({
			name: `layer${stage + 1}.${i}`,
			channels,
			stride: stage > 0 && i === 0 ? 2 : 1,
		})),
	)
}

function basicBlock(net: NetBuilder, x: Feature, name: string, channels: number, stride: number): Feature {
	const inner = net.relu(net.convNorm(x, `${name}.1`, channels, { stride }))
	const branch = net.convNorm(inner, `${name}.2`, channels, { gain: 0.7 })
	const isSame = stride === 1 && channels === x.channels
	const skip = isSame ? x : net.convNorm(x, `${name}.skip`, channels, { kernel: 1, stride, gain: 0.7 })
	return net.relu(net.add(branch, skip, `${name}.sum`))
}

function preActBlock(net: NetBuilder, x: Feature, name: string, channels: number, stride: number): Feature {
	const before = net.relu(net.batchNorm(x, `${name}.0.bn`))
	const inner = net.relu(net.convNorm(before, `${name}.1`, channels, { stride }))
	const branch = net.conv(inner, `${name}.2.conv`, channels, { gain: 0.7 })
	const isSame = stride === 1 && channels === x.channels
	const skip = isSame ? x : net.conv(before, `${name}.skip.conv`, channels, { kernel: 1, stride, gain: 0.7 })
	return net.add(branch, skip, `${name}.sum`)
}
