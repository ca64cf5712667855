/** Nets in float16 and in int8 (QDQ), built here. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseLayer, prunableLayers } from '../../src/defense/prune/layer.ts'
import { prune } from '../../src/defense/prune/prune.ts'
import { narrowToHalves } from '../../src/graph/float16.ts'
import { DTYPES, floatTensor, type Graph, makeNode, type Tensor } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { GRAPH, logitsOf, openWith } from '../helpers/exported.ts'
import { randomImages } from '../helpers/models.ts'
import { wrapGraph } from '../helpers/networks.ts'
import { distance, run } from './keras/run.ts'

/** `graph` with its weights, input and output in another type. */
function converted(graph: Graph, isIo: boolean): Graph {
	const toHalf = (tensor: Tensor): Tensor => ({
		...tensor,
		dtype: 'float16',
		bytes: new Uint8Array(narrowToHalves(new Float32Array(tensor.bytes.slice().buffer)).buffer),
	})
	const initializers = new Map([...graph.initializers].map(([name, tensor]) => [name, toHalf(tensor)]))
	const cast = (from: string, to: string, dtype: 'float16' | 'float32') =>
		makeNode('Cast', [from], [to], { to: DTYPES.indexOf(dtype) })
	if (isIo) {
		const half = graph.inputs.map((value) => ({ ...value, dtype: 'float16' as const }))
		return {
			...graph,
			initializers,
			inputs: half,
			outputs: graph.outputs.map((value) => ({ ...value, dtype: 'float16' as const })),
		}
	}
	const inner = graph.nodes.map((each) => ({
		...each,
		inputs: each.inputs.map((name) => (name === 'x' ? 'x16' : name)),
		outputs: each.outputs.map((name) => (name === 'output' ? 'output16' : name)),
	}))
	return {
		...graph,
		initializers,
		nodes: [cast('x', 'x16', 'float16'), ...inner, { ...cast('output16', 'output', 'float32'), name: 'last' }],
	}
}

describe('float16', () => {
	it.each([false, true])('runs, input and output in float16: %s', async (isIo) => {
		const model = await openWith(encodeOnnx(converted(GRAPH, isIo)))
		expect(model.input.dtype).toBe(isIo ? 'float16' : 'float32')
		const expected = await logitsOf(await openWith(encodeOnnx(GRAPH)))
		// Eleven bits of mantissa, sums of some ten terms.
		expect(distance(await logitsOf(model), expected)).toBeLessThan(2e-2)
		expect(distance(await logitsOf(model), expected)).toBeGreaterThan(0)
	})

	it('is refused by name when pruned', async () => {
		const model = await openWith(encodeOnnx(converted(GRAPH, true)))
		await expect(prune(model, randomImages(model, 8, 1), { layer: 'layer', drops: [1] })).rejects.toMatchObject({
			code: 'not-float32',
		})
	})
})

/** `y = W x` with int8 weights and activations: everything in units of 1/2 and 1/4, so that plain arithmetic is exact. */
function quantised(): Graph {
	const scalar = (value: number) => floatTensor([], [value])
	const zero: Tensor = { dtype: 'int8', dims: [], bytes: new Uint8Array(1) }
	const initializers = new Map<string, Tensor>([
		['w', { dtype: 'int8', dims: [2, 1, 1, 1], bytes: new Uint8Array(Int8Array.of(2, -4).buffer) }],
		['half', scalar(0.5)],
		['quarter', scalar(0.25)],
		['zero', zero],
	])
	const nodes = [
		makeNode('QuantizeLinear', ['x', 'quarter', 'zero'], ['xq']),
		makeNode('DequantizeLinear', ['xq', 'quarter', 'zero'], ['xd']),
		makeNode('DequantizeLinear', ['w', 'half', 'zero'], ['wd']),
		makeNode('Conv', ['xd', 'wd'], ['conv']),
		makeNode('GlobalMaxPool', ['conv'], ['pool']),
		makeNode('Flatten', ['pool'], ['output']),
	]
	return wrapGraph(nodes, initializers, ['N', 1, 2, 2], ['N', 2])
}

describe('a QDQ int8 net', () => {
	it('runs and is described; pruning it is refused by name', () =>
		inTemporaryFolder(async (folder) => {
			const model = await openWith(encodeOnnx(quantised()))
			const [output] = await run(model.graph, [{ dims: [1, 1, 2, 2], values: [0.3, 1, -0.5, 0] }])
			// 0.3 is nearest to 0.25; filters 1 and -2.
			expect(Array.from(output!.values)).toEqual([1, 1])
			expect(prunableLayers(model)).toEqual([])
			expect(() => chooseLayer(model, 'conv')).toThrow(/is quantised.*prune the float model, then quantise it again/)
			const path = join(folder, 'int8.onnx')
			writeFileSync(path, encodeOnnx(quantised()))
			expect((await goodnet(['inspect', path])).stdout).toMatch(/none: the net is quantised/)
		}))
})
