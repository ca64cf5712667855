/** DenseNet-BC (Huang et al. 2016, arXiv:1608.06993): every layer reads the concatenation of all before it in its block. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, type Feature, NetBuilder } from './builder.ts'

export interface DenseNetOptions extends ArchitectureOptions {
	/** Channels that each layer adds. */
	readonly growth?: number
	/** Layers of each block. */
	readonly layers?: readonly number[]
}

export function denseNet({ growth = 4, layers = [2, 2], ...options }: DenseNetOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.conv(net.input, 'stem.conv', 2 * growth)
	for (const [block, count] of layers.entries()) {
		if (block > 0) x = transition(net, x, `transition${block}`)
		for (let i = 0; i < count; i++) x = denseLayer(net, x, `block${block + 1}.${i}`, growth)
	}
	const last = net.relu(net.batchNorm(x, 'last.bn'))
	return net.classify(net.flatten(net.globalPool(last, 'pool'), 'flat'))
}

function denseLayer(net: NetBuilder, x: Feature, name: string, growth: number): Feature {
	const before = net.relu(net.batchNorm(x, `${name}.0.bn`))
	const bottleneck = net.relu(net.convNorm(before, `${name}.1`, 4 * growth, { kernel: 1 }))
	return net.concat([x, net.conv(bottleneck, `${name}.2.conv`, growth)], `${name}.concat`)
}

function transition(net: NetBuilder, x: Feature, name: string): Feature {
	const before = net.relu(net.batchNorm(x, `${name}.bn`))
	return net.pool(
		net.conv(before, `${name}.conv`, Math.floor(x.channels / 2), { kernel: 1 }),
		`${name}.pool`,
		'AveragePool',
	)
}
