/** Batches that an export fixes: by its word alone, or in truth. */
import { describe, expect, it } from 'vitest'
import { type Graph, intTensor, makeNode } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { sourceFiles } from '../../src/model/write-back.ts'
import { distance } from '../formats/keras/run.ts'
import { GRAPH, logitsOf, openWith } from '../helpers/exported.ts'

describe('a fixed batch', () => {
	const fixed = (batch: number): Graph => ({
		...GRAPH,
		inputs: [{ ...GRAPH.inputs[0]!, shape: [batch, 1, 4, 4] }],
		outputs: [{ ...GRAPH.outputs[0]!, shape: [batch, 2] }],
	})
	const insisting = (batch: number, shape: number[]): Graph => {
		const nodes = fixed(batch).nodes.map((each) =>
			each.op === 'Flatten' ? makeNode('Reshape', ['act_2', 'shape'], ['flat']) : each,
		)
		return { ...fixed(batch), nodes, initializers: new Map([...GRAPH.initializers, ['shape', intTensor(shape)]]) }
	}

	it.each([1, 3, 789_444])('of %i, only declared, is freed; the file keeps its own words', async (batch) => {
		const bytes = encodeOnnx(fixed(batch))
		const model = await openWith(bytes)
		expect(model.input.batch).toBeNull()
		expect(await logitsOf(model)).toEqual(await logitsOf(await openWith(encodeOnnx(GRAPH))))
		expect(Buffer.compare((await sourceFiles(model)).main, bytes)).toBe(0)
	})

	it.each([
		['written into a Reshape', [1, -1]],
		['told by the number of features alone', [-1, 12]],
	])('%s stays where the graph insists, and is freed where it does not', async (_, shape) => {
		const model = await openWith(encodeOnnx(insisting(1, shape)))
		expect(model.input.batch).toBe(shape[0] === 1 ? 1 : null)
		expect(distance(await logitsOf(model), await logitsOf(await openWith(encodeOnnx(GRAPH))))).toBeLessThan(1e-5)
	})

	it('stays where an image’s answer depends on its neighbours', async () => {
		const nodes = [...GRAPH.nodes.slice(0, -1), makeNode('Softmax', ['logits'], ['output'], { axis: 0 })]
		expect((await openWith(encodeOnnx({ ...fixed(1), nodes }))).input.batch).toBe(1)
	})

	it('of a million images, on which the graph insists, is refused by name', async () => {
		await expect(openWith(encodeOnnx(insisting(10_000_000, [10_000_000, 12])))).rejects.toMatchObject({
			code: 'fixed-batch',
		})
	})
})
