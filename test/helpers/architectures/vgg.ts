/** VGG with batch normalization (Simonyan & Zisserman 2014, arXiv:1409.1556): convolutions in rows, pooling, two dense layers. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, NetBuilder } from './builder.ts'

/** Convolutions before each pooling layer. */
const DEPTHS = { 11: [1, 1, 2, 2, 2], 16: [2, 2, 3, 3, 3] } as const

export interface VggOptions extends ArchitectureOptions {
	readonly depth?: 11 | 16
	/** Channels of each of the five stages, then of the hidden dense layer. */
	readonly widths?: readonly number[]
	/** Stages to build, from the first. All five need images of 32×32. */
	readonly stages?: number
}

export function vgg({ depth = 11, widths = [8, 16, 16, 32, 32, 32], stages = 5, ...options }: VggOptions = {}): Graph {
	const net = new NetBuilder(options)
	let x = net.input
	for (const [stage, count] of DEPTHS[depth].slice(0, stages).entries()) {
		for (let i = 0; i < count; i++) x = net.relu(net.convNorm(x, `features.${stage}.${i}`, widths[stage]!))
		x = net.pool(x, `pool${stage + 1}`)
	}
	return net.classify(net.relu(net.dense(net.flatten(x, 'flat'), 'hidden', widths.at(-1)!)))
}
