import { describe, expect, it } from 'vitest'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { workerPool } from '../../src/runtime/worker-pool.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const graph = randomCnn(PLAIN_SHAPE)
const feed = (value: number) => ({
	[graph.inputs[0]!.name]: { dims: [1, 1, 4, 4], data: new Float32Array(16).fill(value) },
})
const [output] = graph.outputs

describe('workerPool', () => {
	it('answers each of many runs under way at once with its own result, the same as one thread gives', async () => {
		const pooled = await workerPool(2).load(encodeOnnx(graph))
		const inline = await (await nodeRuntime({ threads: 1 })).load(graph)
		const values = Array.from({ length: 24 }, (_, i) => i / 7)
		const results = await Promise.all(values.map((value) => pooled.run(feed(value))))
		for (const [i, value] of values.entries()) {
			const expected = await inline.run(feed(value))
			expect(results[i]![output!.name]!.data).toEqual(expected[output!.name]!.data)
		}
		await pooled.close()
		await inline.close()
	})

	it('leaves the caller’s arrays alone, views of a larger buffer too', async () => {
		const session = await workerPool(2).load(encodeOnnx(graph))
		const data = new Float32Array(64).fill(0.5).subarray(16, 32)
		await session.run({ [graph.inputs[0]!.name]: { dims: [1, 1, 4, 4], data } })
		expect(data).toEqual(new Float32Array(16).fill(0.5))
		await session.close()
	})

	it('passes on what the engine says, under the code that one thread would give', async () => {
		const session = await workerPool(2).load(encodeOnnx(graph))
		const misshaped = { [graph.inputs[0]!.name]: { dims: [1, 1, 2, 2], data: new Float32Array(4) } }
		await expect(session.run(misshaped)).rejects.toMatchObject({ code: 'run-failed', exitCode: 3 })
		await session.close()
		await expect(workerPool(2).load(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'not-runnable' })
	})

	it('does not block the caller: timers fire while a session runs', async () => {
		const runtime = await nodeRuntime({ threads: 2 })
		const session = await runtime.load(graph)
		let ticks = 0
		const timer = setInterval(() => ticks++, 0)
		for (let i = 0; i < 50; i++) await session.run(feed(i))
		clearInterval(timer)
		expect(ticks).toBeGreaterThan(0)
		await session.close()
	})
})
