import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GoodnetError } from '../../src/errors.ts'
import { floatTensor, intTensor, makeNode } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { openModel } from '../../src/model/open.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { webRuntime } from '../../src/runtime/web.ts'
import { modelOf } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn, wrapGraph } from '../helpers/networks.ts'

const runtime = await nodeRuntime({ threads: 1 })
const open = (bytes: Uint8Array) =>
	openModel(bytes, { path: 'file', sha256: '', runtime, sandbox: async () => webRuntime() })
const SHAPE = { ...PLAIN_SHAPE, normalize: true, residual: true }

describe('openModel', () => {
	it('gives a model or a named error for any bytes, and for any damaged model', async () => {
		const whole = encodeOnnx(randomCnn(SHAPE))
		const flips = fc.array(fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 7 })), {
			minLength: 1,
			maxLength: 3,
		})
		const damaged = flips.map((list) => {
			const bytes = whole.slice()
			for (const [at, bit] of list) bytes[at]! ^= 1 << bit
			return bytes
		})
		await fc.assert(
			fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
				const result = await open(bytes).catch((error: unknown) => error)
				if (result instanceof Error) expect(result).toBeInstanceOf(GoodnetError)
			}),
			{ numRuns: 300 },
		)
	})

	it('refuses a node that would fill the memory, before running it', async () => {
		const nodes = [
			makeNode('ConstantOfShape', ['shape'], ['weights']),
			makeNode('Flatten', ['x'], ['flat']),
			makeNode('MatMul', ['flat', 'weights'], ['output']),
		]
		const graph = wrapGraph(nodes, new Map([['shape', intTensor([4, 2 ** 40])]]), ['N', 1, 2, 2], null)
		await expect(open(encodeOnnx(graph))).rejects.toThrow(/makes a constant of shape \[4,1099511627776\]/)
	})

	it('survives a net whose maps shrink to nothing, which crashes the native runtime', async () => {
		const graph = randomCnn(SHAPE)
		const nodes = [
			makeNode('MaxPool', ['x'], ['small'], { kernel_shape: [1, 1], strides: [64, 64] }),
			makeNode('Conv', ['small', 'k'], ['none'], { kernel_shape: [3, 3] }),
			makeNode('GlobalAveragePool', ['none'], ['mean']),
			makeNode('Flatten', ['mean'], ['output']),
		]
		const kernel = floatTensor([2, 1, 3, 3], new Float32Array(18))
		const crashing = wrapGraph(nodes, new Map([['k', kernel]]), ['N', 1, 4, 4], ['N', 2])
		await expect(open(encodeOnnx(crashing))).rejects.toBeInstanceOf(GoodnetError)
		// And the sandbox still works.
		expect((await open(encodeOnnx(graph))).classes).toBe(2)
	})

	it('refuses what is no classifier of at least two classes', async () => {
		const nodes = [makeNode('Flatten', ['x'], ['flat']), makeNode('MatMul', ['flat', 'w'], ['output'])]
		const net = (classes: number) => {
			const weights = floatTensor([4, classes], new Float32Array(4 * classes))
			return wrapGraph(nodes, new Map([['w', weights]]), ['N', 1, 2, 2], ['N', classes])
		}
		await expect(modelOf(net(1))).rejects.toMatchObject({ code: 'too-few-classes' })
		expect((await modelOf(net(2))).classes).toBe(2)
	})

	it('refuses control flow by name: its bodies read values unseen', async () => {
		const nodes = [makeNode('If', ['x'], ['chosen']), makeNode('Flatten', ['chosen'], ['output'])]
		const graph = wrapGraph(nodes, new Map(), ['N', 1, 2, 2], ['N', 4])
		await expect(open(encodeOnnx(graph))).rejects.toMatchObject({ code: 'control-flow', layer: 'chosen' })
	})

	it('refuses an answer that is not one row an image', async () => {
		const graph = randomCnn(SHAPE)
		const nodes = [...graph.nodes.slice(0, -1), makeNode('Reshape', ['logits', 'flat_shape'], ['output'])]
		const initializers = new Map([...graph.initializers, ['flat_shape', intTensor([1, -1])]])
		await expect(modelOf({ ...graph, nodes, initializers })).rejects.toMatchObject({ code: 'not-a-classifier' })
	})

	it('reads opset 6 by restating it as opset 7', async () => {
		const graph = randomCnn({ ...SHAPE, normalize: false, residual: false, pooling: 'AveragePool' })
		const old = { ...graph, opsets: new Map([['', 6]]) }
		const model = await modelOf(old)
		expect(model.graph.opsets.get('')).toBe(7)
	})

	it('tells channels last from channels first by the colours', async () => {
		expect((await modelOf(randomCnn({ ...SHAPE, colours: 3 }))).input).toMatchObject({
			layout: 'NCHW',
			channels: 3,
			height: 4,
		})
	})
})
