/** A small SE-ResNet (Hu et al. 2017, arXiv:1709.01507): each channel of a block is scaled by a gate computed from all channel means. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, type Feature, NetBuilder } from './builder.ts'
import { blockList } from './resnet.ts'

export interface SqueezeExciteOptions extends ArchitectureOptions {
	readonly widths?: readonly number[]
	readonly blocks?: number
	/** Factor by which the gate's hidden layer is narrower. */
	readonly reduction?: number
	/** Gates as 1×1 convolutions on 1×1 maps (torchvision), or as dense layers on vectors (the paper's code). */
	readonly gate?: 'conv' | 'dense'
}

export function squeezeExciteNet(options: SqueezeExciteOptions = {}): Graph {
	const { widths = [8, 12], blocks = 1, reduction = 2, gate = 'conv' } = options
	const net = new NetBuilder(options)
	let x = net.relu(net.convNorm(net.input, 'stem', widths[0]!))
	for (const { name, channels, stride } of blockList(widths, blocks)) {
		const inner = net.relu(net.convNorm(x, `${name}.1`, channels, { stride }))
		const branch = net.convNorm(inner, `${name}.2`, channels)
		const gated = scaleByGate(net, branch, `${name}.se`, Math.ceil(channels / reduction), gate)
		const isSame = stride === 1 && channels === x.channels
		const skip = isSame ? x : net.convNorm(x, `${name}.skip`, channels, { kernel: 1, stride })
		x = net.relu(net.add(gated, skip, `${name}.sum`))
	}
	return net.classify(net.flatten(net.globalPool(x, 'pool'), 'flat'))
}

function scaleByGate(net: NetBuilder, x: Feature, name: string, hidden: number, kind: 'conv' | 'dense'): Feature {
	const squeezed = net.globalPool(x, `${name}.squeeze`)
	const gate = kind === 'conv' ? convGate(net, squeezed, name, hidden) : denseGate(net, squeezed, name, hidden)
	return { ...x, value: net.node('Mul', [x.value, gate], `${name}.scaled`) }
}

function convGate(net: NetBuilder, x: Feature, name: string, hidden: number): string {
	const narrow = net.relu(net.conv(x, `${name}.fc1`, hidden, { kernel: 1, bias: true }))
	return net.apply('Sigmoid', net.conv(narrow, `${name}.fc2`, x.channels, { kernel: 1, bias: true })).value
}

function denseGate(net: NetBuilder, x: Feature, name: string, hidden: number): string {
	const narrow = net.relu(net.dense(net.flatten(x, `${name}.flat`), `${name}.fc1`, hidden))
	const gate = net.apply('Sigmoid', net.dense(narrow, `${name}.fc2`, x.channels)).value
	return net.node('Reshape', [gate, net.ints(`${name}.map`, [-1, x.channels, 1, 1])], `${name}.gate`)
}
