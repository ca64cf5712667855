/** Small random nets, built from parts, for tests that need many different ones. */
import { floatTensor, type Graph, makeNode, type Node, type Tensor, type Value } from '../../src/graph/graph.ts'

export interface CnnShape {
	readonly size: number
	readonly colours: number
	readonly channels: number
	readonly classes: number
	/** What stands between convolution and pooling. */
	readonly normalize: boolean
	readonly activation: 'Relu' | 'Sigmoid' | 'LeakyRelu' | 'Elu'
	readonly pooling: 'MaxPool' | 'AveragePool'
	readonly residual: boolean
	readonly seed: number
}

/** The plainest of them; tests override what they are about. */
export const PLAIN_SHAPE: CnnShape = {
	size: 4,
	colours: 1,
	channels: 2,
	classes: 2,
	normalize: false,
	activation: 'Relu',
	pooling: 'MaxPool',
	residual: false,
	seed: 1,
}

/** Uniform numbers in −1..1 from a seed (LCG of Numerical Recipes). */
export function randomValues(seed: number): () => number {
	let state = seed >>> 0
	return () => {
		state = (Math.imul(1664525, state) + 1013904223) >>> 0
		return state / 2 ** 31 - 1
	}
}

/**
 * conv → [BN] → activation → pool (`layer`) → conv → [+ skip from the layer] → flatten → dense. NCHW, `size` even and ≥ 4.
 */
export function randomCnn(shape: CnnShape): Graph {
	const { size, colours, channels, classes } = shape
	const random = randomValues(shape.seed)
	const tensor = (...dims: number[]): Tensor =>
		floatTensor(dims, Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, random))
	const positive = (count: number) =>
		floatTensor(
			[count],
			Float32Array.from({ length: count }, () => Math.abs(random()) + 0.1),
		)
	const half = size / 2
	const initializers = new Map<string, Tensor>([
		['conv_1/kernel', tensor(channels, colours, 3, 3)],
		['conv_1/bias', tensor(channels)],
		['conv_2/kernel', tensor(channels, channels, 3, 3)],
		['conv_2/bias', tensor(channels)],
		['dense/kernel', tensor(channels * half * half, classes)],
		['dense/bias', tensor(classes)],
	])
	const normalization: Node[] = []
	if (shape.normalize) {
		for (const name of ['scale', 'shift', 'mean']) initializers.set(`bn/${name}`, tensor(channels))
		initializers.set('bn/variance', positive(channels))
		const inputs = ['conv_1', 'bn/scale', 'bn/shift', 'bn/mean', 'bn/variance']
		normalization.push(makeNode('BatchNormalization', inputs, ['bn']))
	}
	const nodes = [
		makeNode('Conv', ['x', 'conv_1/kernel', 'conv_1/bias'], ['conv_1'], { pads: [1, 1, 1, 1] }),
		...normalization,
		makeNode(shape.activation, [shape.normalize ? 'bn' : 'conv_1'], ['act_1']),
		makeNode(shape.pooling, ['act_1'], ['layer'], { kernel_shape: [2, 2], strides: [2, 2] }),
		makeNode('Conv', ['layer', 'conv_2/kernel', 'conv_2/bias'], ['conv_2'], { pads: [1, 1, 1, 1] }),
		...(shape.residual ? [makeNode('Add', ['conv_2', 'layer'], ['sum'])] : []),
		makeNode('Relu', [shape.residual ? 'sum' : 'conv_2'], ['act_2']),
		makeNode('Flatten', ['act_2'], ['flat']),
		makeNode('Gemm', ['flat', 'dense/kernel', 'dense/bias'], ['logits']),
		makeNode('Softmax', ['logits'], ['output'], { axis: 1 }),
	]
	return wrapGraph(nodes, initializers, ['N', colours, size, size], ['N', classes])
}

/** A graph around nodes that read `x` and write `output`. */
export function wrapGraph(
	nodes: readonly Node[],
	initializers: ReadonlyMap<string, Tensor>,
	input: Value['shape'],
	output: Value['shape'],
): Graph {
	return {
		name: 'test',
		nodes,
		inputs: [{ name: 'x', dtype: 'float32', shape: input }],
		outputs: [{ name: 'output', dtype: 'float32', shape: output }],
		initializers,
		valueInfo: [],
		irVersion: 8,
		opsets: new Map([['', 13]]),
		metadata: new Map([['author', 'a test']]),
		producerName: 'goodnet-test',
		producerVersion: '1',
	}
}
