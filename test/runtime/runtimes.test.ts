/** One behaviour, two engines: what holds for the native runtime holds for WebAssembly. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { openModel } from '../../src/model/open.ts'
import { predict } from '../../src/model/predict.ts'
import { bestRuntime, nodeRuntime } from '../../src/runtime/node.ts'
import { webRuntime } from '../../src/runtime/web.ts'
import { cnnShape } from '../helpers/arbitraries.ts'
import { randomImages } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const engines = { 'onnxruntime-node': await nodeRuntime({ threads: 1 }), 'onnxruntime-web': webRuntime() }

describe('runtimes', () => {
	it('give the same logits within 1e-4 on random nets', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, async (shape) => {
				const bytes = encodeOnnx(randomCnn(shape))
				const logits = []
				for (const runtime of Object.values(engines)) {
					const model = await openModel(bytes, { path: 'net', sha256: '', runtime })
					for await (const batch of predict(model, randomImages(model, 5, shape.seed))) logits.push(batch.logits)
				}
				for (const [i, value] of logits[0]!.entries()) expect(logits[1]![i]).toBeCloseTo(value, 4)
			}),
			{ numRuns: 10 },
		)
	})

	for (const [name, runtime] of Object.entries(engines)) {
		it(`${name} names itself and its version, and refuses a graph it cannot run with a named error`, async () => {
			expect(runtime.name).toBe(name)
			expect(runtime.version).toMatch(/^\d+\.\d+/)
			const graph = randomCnn(PLAIN_SHAPE)
			const nodes = graph.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'Rehu' } : node))
			await expect(runtime.load({ ...graph, nodes })).rejects.toMatchObject({ code: 'not-runnable' })
		})
	}

	it('the native one is the best where it loads', async () => {
		expect((await bestRuntime()).name).toBe('onnxruntime-node')
	})
})
