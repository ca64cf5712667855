/** A small ResNeXt (Xie et al. 2016, arXiv:1611.05431): bottlenecks whose 3×3 convolution works in groups. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, NetBuilder } from './builder.ts'
import { blockList } from './resnet.ts'

export interface ResNeXtOptions extends ArchitectureOptions {
	/** Channels of each stage; the grouped convolutions are half as wide. */
	readonly widths?: readonly number[]
	readonly blocks?: number
	/** Groups of each 3×3 convolution; divides half of every width. */
	readonly groups?: number
}

export function resNeXt({ widths = [8, 16], blocks = 1, groups = 2, ...options }: ResNeXtOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.relu(net.convNorm(net.input, 'stem', widths[0]!))
	for (const { name, channels, stride } of blockList(widths, blocks)) {
		const narrow = net.relu(net.convNorm(x, `${name}.1`, channels / 2, { kernel: 1 }))
		const grouped = net.relu(net.convNorm(narrow, `${name}.2`, channels / 2, { stride, group: groups }))
		const branch = net.convNorm(grouped, `${name}.3`, channels, { kernel: 1, gain: 0.7 })
		const isSame = stride === 1 && channels === x.channels
		const skip = isSame ? x : net.convNorm(x, `${name}.skip`, channels, { kernel: 1, stride, gain: 0.7 })
		x = net.relu(net.add(branch, skip, `${name}.sum`))
	}
	return net.classify(net.flatten(net.globalPool(x, 'pool'), 'flat'))
}
