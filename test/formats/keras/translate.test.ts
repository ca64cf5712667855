import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openKeras, readArchitecture } from '../../../src/formats/keras/keras.ts'
import type { Graph } from '../../../src/graph/graph.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { graphOf, numbers, sequential, type Weights } from './model.ts'
import { distance, run } from './run.ts'

function input(name: string, shape: readonly (number | null)[]) {
	return { class_name: 'InputLayer', name, config: { name, batch_input_shape: [null, ...shape] }, inbound_nodes: [] }
}

/** A layer of Keras 2, called once for each list of `calls`. */
function layer(class_name: string, name: string, config: object, ...calls: readonly (readonly string[])[]) {
	const inbound_nodes = calls.map((names) => names.map((ref) => [...refOf(ref), {}]))
	return { class_name, name, config: { ...config, name }, inbound_nodes }
}

/** `fc` is the first use of layer fc, `fc:1` its second. */
function refOf(ref: string): [string, number, number] {
	const [name, call] = ref.split(':')
	return [name!, Number(call ?? 0), 0]
}

function functional(layers: readonly object[], inputs: readonly string[], outputs: readonly string[]) {
	const config = { name: 'net', layers, input_layers: inputs.map(refOf), output_layers: outputs.map(refOf) }
	return { class_name: 'Functional', config }
}

async function outputs(graph: Graph, ...inputs: readonly number[][]): Promise<number[][]> {
	const results = await run(
		graph,
		inputs.map((values) => ({ dims: [1, values.length], values })),
	)
	return results.map(({ values }) => Array.from(values))
}

const DOUBLE: Weights = { fc: [{ dims: [2, 2], values: [2, 0, 0, 2] }] }
const DENSE = { units: 2, use_bias: false }

describe('functional models', () => {
	it('keep the order of inputs and outputs that the model states', async () => {
		const layers = [
			input('a', [2]),
			input('b', [2]),
			layer('Subtract', 'minus', {}, ['a', 'b']),
			layer('Add', 'plus', {}, ['a', 'b']),
		]
		const graph = graphOf(functional(layers, ['b', 'a'], ['plus', 'minus']))
		expect(graph.inputs.map(({ name }) => name)).toEqual(['b', 'a'])
		expect(graph.outputs.map(({ name }) => name)).toEqual(['plus', 'minus'])
		expect(await outputs(graph, [2, 7], [5, 1])).toEqual([
			[7, 8],
			[3, -6],
		])
	})

	it.each([
		['Add', [9, 12]],
		['Multiply', [24, 28]],
		['Average', [3, 4]],
		['Maximum', [4, 7]],
		['Minimum', [2, 1]],
		['Concatenate', [2, 1, 3, 4, 4, 7]],
	])('%s joins three inputs', async (className, expected) => {
		const layers = ['a', 'b', 'c'].map((name) => input(name, [2]))
		const graph = graphOf(
			functional([...layers, layer(className, 'out', {}, ['a', 'b', 'c'])], ['a', 'b', 'c'], ['out']),
		)
		const [result] = await outputs(graph, [2, 1], [3, 4], [4, 7])
		expect(distance(result!, expected)).toBeLessThan(1e-6)
	})

	it('use a shared layer twice with one set of weights', async () => {
		const layers = [input('a', [2]), layer('Dense', 'fc', DENSE, ['a'], ['fc'])]
		const graph = graphOf(functional(layers, ['a'], ['fc:1']), DOUBLE)
		expect(graph.nodes.map(({ name }) => name)).toEqual(['fc', 'fc:1'])
		expect([...graph.initializers.keys()]).toEqual(['fc/kernel'])
		expect(await outputs(graph, [1, 3])).toEqual([[4, 12]])
	})

	it('unfold a nested model, whose first use Keras counts as 1', async () => {
		const inner = functional([input('in', [2]), layer('Dense', 'fc', DENSE, ['in'])], ['in'], ['fc'])
		const nested = { ...layer('Functional', 'inner', {}, ['a']), config: inner.config }
		const layers = [input('a', [2]), nested, layer('Activation', 'act', { activation: 'relu' }, ['inner:1'])]
		const graph = graphOf(functional(layers, ['a'], ['act']), { 'inner/fc': DOUBLE.fc! })
		expect(graph.nodes.map(({ name }) => name)).toEqual(['inner/fc', 'act'])
		expect(await outputs(graph, [1, -3])).toEqual([[2, 0]])
	})

	it('read the inbound nodes of Keras 3, in the order of the arguments', async () => {
		const tensor = (name: string) => ({
			class_name: '__keras_tensor__',
			config: { shape: [null, 2], dtype: 'float32', keras_history: [name, 0, 0] },
		})
		const shaped = (name: string) => ({
			...input(name, []),
			config: { name, batch_shape: [null, 2], dtype: 'float32' },
		})
		const minus = {
			class_name: 'Subtract',
			name: 'minus',
			config: { name: 'minus' },
			inbound_nodes: [{ args: [[tensor('b'), tensor('a')]], kwargs: {} }],
		}
		const config = {
			name: 'net',
			layers: [shaped('a'), shaped('b'), minus],
			input_layers: [
				['a', 0, 0],
				['b', 0, 0],
			],
			output_layers: ['minus', 0, 0],
		}
		const graph = graphOf({ module: 'keras', class_name: 'Functional', config }, {}, '3.3.3')
		expect(await outputs(graph, [5, 1], [2, 7])).toEqual([[-3, 6]])
	})

	it('may list their layers in any order', async () => {
		const layers = [
			layer('Activation', 'act', { activation: 'relu' }, ['fc']),
			layer('Dense', 'fc', DENSE, ['a']),
			input('a', [2]),
		]
		expect(await outputs(graphOf(functional(layers, ['a'], ['act']), DOUBLE), [1, -3])).toEqual([[2, 0]])
	})

	it.each([
		['a layer that feeds itself', [input('a', [2]), layer('Add', 'loop', {}, ['a', 'loop'])], ['loop'], 'loop'],
		['an input from nowhere', [input('a', [2]), layer('Add', 'sum', {}, ['a', 'ghost'])], ['sum'], 'sum'],
		['an output that does not exist', [input('a', [2])], ['ghost'], 'ghost'],
	])('are refused for %s', (_, layers, ends, name) => {
		expect(() => graphOf(functional(layers, ['a'], ends))).toThrow(
			expect.objectContaining({ code: 'bad-config', layer: name }),
		)
	})

	it('are refused, quickly, when a small file unfolds without end', () => {
		let model: object = functional([input('in', [2])], ['in'], ['in'])
		for (let depth = 0; depth < 15; depth++) {
			const calls = Array.from({ length: 10 }, () => ['in'])
			const nested = { ...layer('Functional', 'm', {}, ...calls), config: (model as { config: object }).config }
			model = functional([input('in', [2]), nested], ['in'], ['m'])
		}
		expect(() => graphOf(model)).toThrow(expect.objectContaining({ code: 'bad-config' }))
	})
})

describe('names and layouts', () => {
	const layers = [
		['Conv2D', { name: 'conv', filters: 4, kernel_size: 3, activation: 'relu' }],
		['MaxPooling2D', { name: 'pool' }],
		['Flatten', { name: 'flat' }],
		['Dense', { name: 'output', units: 3, activation: 'softmax' }],
	] as const
	const weights = { conv: [numbers(3, 3, 2, 4), numbers(4)], output: [numbers(16, 3), numbers(3)] }
	const graph = sequential([6, 6, 2], layers, weights)
	const node = (name: string) => graph.nodes.find((candidate) => candidate.name === name)

	it('names value and node after the layer, and what it makes on the way below it', () => {
		expect(node('conv')).toMatchObject({
			op: 'Conv',
			inputs: ['conv_input/nchw', 'conv/kernel', 'conv/bias'],
			outputs: ['conv/linear'],
		})
		expect(node('conv/relu')).toMatchObject({ op: 'Relu', outputs: ['conv'] })
		expect(node('pool')).toMatchObject({ op: 'MaxPool', inputs: ['conv'], outputs: ['pool'] })
		expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(graph.nodes.length)
	})

	it('ends in a softmax of its own over the logits', () => {
		expect(graph.nodes.at(-1)).toMatchObject({ op: 'Softmax', inputs: ['output/logits'], outputs: ['output'] })
		expect(node('output')?.op).toBe('Gemm')
	})

	it('takes pictures as Keras does and turns them once each way', () => {
		expect(graph.inputs).toEqual([{ name: 'conv_input', dtype: 'float32', shape: ['N', 6, 6, 2] }])
		expect(graph.outputs).toEqual([{ name: 'output', dtype: 'float32', shape: ['N', 3] }])
		expect(graph.nodes.filter(({ op }) => op === 'Transpose').map(({ outputs }) => outputs[0])).toEqual([
			'conv_input/nchw',
			'pool/nhwc',
		])
	})

	it('remembers where each weight came from', () => {
		const kernel = graph.initializers.get('conv/kernel')
		expect(kernel?.origin).toEqual({ dataset: '/conv/kernel', reshape: [3, 3, 2, 4], perm: [3, 2, 0, 1] })
		expect(kernel?.dims).toEqual([4, 2, 3, 3])
	})

	it('is ONNX of operator set 17 in files of version 8', () => {
		expect([graph.opsets.get(''), graph.irVersion]).toEqual([17, 8])
	})

	it('gives a feature map at the output the layout of Keras and the name of its layer', async () => {
		const features = sequential([6, 6, 2], layers.slice(0, 2), weights)
		expect(features.outputs).toEqual([{ name: 'pool', dtype: 'float32', shape: ['N', 2, 2, 4] }])
		const [output] = await run(features, [numbers(1, 6, 6, 2)])
		expect(output?.dims).toEqual([1, 2, 2, 4])
	})
})

describe('settings that cannot be', () => {
	it.each([
		['Conv2D', { filters: 0, kernel_size: 3 }, 'filters'],
		['Conv2D', { filters: 1e12, kernel_size: 3 }, 'filters'],
		['Conv2D', { filters: 4, kernel_size: 'three' }, 'kernel_size'],
		['Conv2D', { filters: 4, kernel_size: 3, padding: 'causal' }, 'padding'],
		['MaxPooling2D', { strides: [1, 2, 3] }, 'strides'],
		['Reshape', { target_shape: [-1, -1] }, 'target_shape'],
		['Permute', { dims: [1, 1, 2] }, 'dims'],
	])('%s with %o names the setting', (className, config, setting) => {
		expect(() => sequential([6, 6, 2], [[className, config]])).toThrow(
			expect.objectContaining({ code: 'bad-config', layer: 'layer_0', message: expect.stringContaining(setting) }),
		)
	})

	it('refuses a window that is larger than the picture', () => {
		expect(() => sequential([4, 4, 1], [['MaxPooling2D', { pool_size: 5 }]])).toThrow(
			expect.objectContaining({ code: 'shape-mismatch', layer: 'layer_0' }),
		)
	})

	it('refuses an activation that it does not know, without decoding it', () => {
		const activation = { class_name: '__lambda__', config: { value: 'gASVAAAA' } }
		expect(() => sequential([4], [['Activation', { activation }]])).toThrow(
			expect.objectContaining({ code: 'unsupported-activation' }),
		)
	})
})

describeShared('the face net of the lab', () => {
	it('has the layer names that the lab uses, from weights and an architecture of another file', async () => {
		const architecture = await readArchitecture(readFileSync(sharedPath('csaw/model_B_2.h5')))
		const graph = await openKeras(readFileSync(sharedPath('csaw/bd_weights.h5')), { architecture })
		const values = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
		for (const name of ['conv_1', 'pool_3', 'conv_4', 'fc_1', 'fc_2', 'add_1', 'output/logits', 'output'])
			expect(values).toContain(name)
		expect(graph.initializers.get('conv_3/kernel')?.origin?.dataset).toBe('/conv_3/conv_3/kernel:0')
	})
})
