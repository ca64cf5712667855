import { describe, expect, it } from 'vitest'
import { traceProducer } from '../../src/graph/channels.ts'
import { floatTensor, type Graph, makeNode, type Node, type Tensor } from '../../src/graph/graph.ts'
import { wrapGraph } from '../helpers/networks.ts'

const tensor = (...dims: number[]): Tensor => floatTensor(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)))
const CONSTANTS = new Map([
	['k', tensor(4, 3, 3, 3)],
	['b', tensor(4)],
	['wide', tensor(4, 1, 1)],
	['k2', tensor(4, 3, 3, 3)],
	['per_channel', tensor(4)],
	['dense', tensor(4, 7)],
])

const graphOf = (...nodes: Node[]): Graph => wrapGraph(nodes, CONSTANTS, ['N', 3, 8, 8], ['N', 4])
const conv = (out = 'conv', inputs = ['x', 'k', 'b']) => makeNode('Conv', inputs, [out])
const filters = (graph: Graph, value: string, axis = 1) => traceProducer(graph, value, axis, () => 4)?.filters ?? null
const KERNEL_AND_BIAS = [
	{ name: 'k', axis: 0 },
	{ name: 'b', axis: 0 },
]

describe('traceProducer', () => {
	it('goes back through pooling, activation and normalization to kernel and bias', () => {
		const bn = makeNode(
			'BatchNormalization',
			['conv', 'per_channel', 'per_channel', 'per_channel', 'per_channel'],
			['bn'],
		)
		const graph = graphOf(
			conv(),
			bn,
			makeNode('Relu', ['bn'], ['relu']),
			makeNode('MaxPool', ['relu'], ['pool'], { kernel_shape: [2, 2] }),
		)
		expect(filters(graph, 'pool')).toEqual(KERNEL_AND_BIAS)
	})

	it('follows the channel axis through a transposition to channels last', () => {
		const graph = graphOf(conv(), makeNode('Transpose', ['conv'], ['nhwc'], { perm: [0, 2, 3, 1] }))
		expect(filters(graph, 'nhwc', 3)).toEqual(KERNEL_AND_BIAS)
		expect(filters(graph, 'nhwc', 1)).toBeNull()
	})

	it('takes a bias that is a separate Add for part of the filter', () => {
		const graph = graphOf(
			conv('conv', ['x', 'k']),
			makeNode('Add', ['conv', 'wide'], ['biased']),
			makeNode('Relu', ['biased'], ['relu']),
		)
		expect(filters(graph, 'relu')).toEqual([
			{ name: 'k', axis: 0 },
			{ name: 'wide', axis: 0 },
		])
	})

	it('sees through x · sigmoid(x), whose factors come from one convolution', () => {
		const graph = graphOf(conv(), makeNode('Sigmoid', ['conv'], ['gate']), makeNode('Mul', ['conv', 'gate'], ['swish']))
		expect(filters(graph, 'swish')).toEqual(KERNEL_AND_BIAS)
	})

	it('refuses a sum of two convolutions: zeroing one would not silence it', () => {
		const graph = graphOf(conv('one'), conv('two', ['x', 'k2', 'b']), makeNode('Add', ['one', 'two'], ['sum']))
		expect(filters(graph, 'sum')).toBeNull()
	})

	it('refuses a chain that something outside reads: zeroing would change that, too', () => {
		const graph = graphOf(conv(), makeNode('Relu', ['conv'], ['relu']), makeNode('Tanh', ['conv'], ['other']))
		expect(filters(graph, 'relu')).toBeNull()
	})

	it('refuses filters that two layers share', () => {
		const graph = graphOf(conv('one'), makeNode('Conv', ['one', 'k', 'b'], ['two']))
		expect(filters(graph, 'two')).toBeNull()
	})

	it('refuses padding and reduction along the channel axis itself', () => {
		const pad = makeNode('Pad', ['conv'], ['padded'], { pads: [0, 1, 0, 0, 0, 1, 0, 0] })
		const mean = makeNode('ReduceMean', ['conv'], ['mean'], { axes: [1] })
		expect(filters(graphOf(conv(), pad), 'padded')).toBeNull()
		expect(filters(graphOf(conv(), mean), 'mean')).toBeNull()
		const spatial = makeNode('ReduceMean', ['conv'], ['mean'], { axes: [2, 3], keepdims: 0 })
		expect(filters(graphOf(conv(), spatial), 'mean')).toEqual(KERNEL_AND_BIAS)
	})

	it('takes for a dense layer on maps the last axis only, and for a bias only what broadcasts along the channels', () => {
		const graph = graphOf(makeNode('MatMul', ['x', 'dense'], ['out']))
		expect(filters(graph, 'out', 1)).toBeNull()
		expect(filters(graph, 'out', 3)).toEqual([{ name: 'dense', axis: 1 }])
		const perColumn = graphOf(conv('conv', ['x', 'k']), makeNode('Add', ['conv', 'per_channel'], ['shifted']))
		expect(filters(perColumn, 'shifted')).toEqual([{ name: 'k', axis: 0 }])
	})

	it('finds the columns of a dense layer', () => {
		const graph = graphOf(makeNode('Gemm', ['x', 'dense', 'b'], ['out'], { transB: 1 }))
		expect(filters(graph, 'out')).toEqual([
			{ name: 'dense', axis: 0 },
			{ name: 'b', axis: 0 },
		])
	})
})
