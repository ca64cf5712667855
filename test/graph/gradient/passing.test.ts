import { describe, expect, it } from 'vitest'
import { gradient } from '../../../src/graph/gradient/gradient.ts'
import { restateForGradient } from '../../../src/graph/gradient/restate.ts'
import { floatTensor, type Graph, makeNode, type Tensor } from '../../../src/graph/graph.ts'
import { inferShapes } from '../../../src/model/shapes.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { expectAllclose, type Feeds, graphOf } from '../../helpers/gradients.ts'

const runtime = await nodeRuntime({ threads: 1 })
const yes: Tensor = { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) }
const no: Tensor = { ...yes, bytes: Uint8Array.of(0) }
const x = { dims: [8, 50], data: Float32Array.from({ length: 400 }, (_, i) => 1 + Math.sin(i) / 2) }

/** Output and gradient of a sum behind a Dropout, of one run. */
async function run(graph: Graph, feeds: Feeds): Promise<{ y: ArrayLike<unknown>; slope: number[] }> {
	const sum = makeNode('ReduceSum', ['y'], ['loss'], { keepdims: 0 })
	const whole = {
		...graph,
		nodes: [...graph.nodes, sum],
		outputs: [...graph.outputs, { ...graph.outputs[0]!, name: 'loss' }],
	}
	const known = await inferShapes(restateForGradient(whole), runtime, feeds)
	const { graph: backward, of } = gradient(known, 'loss', ['x'])
	const session = await runtime.load(backward)
	const results = await session.run(feeds)
	await session.close()
	return { y: Array.from(results.y!.data, Number), slope: Array.from(results[of.get('x')!]!.data, Number) }
}

const dropout = (inputs: string[], constants: Record<string, Tensor>, feeds: Feeds) =>
	graphOf([makeNode('Dropout', inputs, ['y'], { seed: 3 })], feeds, ['y'], { constants })

describe('passingRules', () => {
	it('Dropout in training: the gradient goes through the very elements that were kept, scaled alike', async () => {
		const constants = { ratio: floatTensor([], [0.25]), mode: yes }
		const { y, slope } = await run(dropout(['x', 'ratio', 'mode'], constants, { x }), { x })
		expectAllclose(
			slope,
			Array.from(y, (value, i) => Number(value) / x.data[i]!),
		)
		const kept = slope.filter((each) => each > 0)
		expect(kept.length).toBeGreaterThan(250)
		expect(kept.length).toBeLessThan(350)
		expectAllclose(
			kept,
			kept.map(() => 1 / 0.75),
		)
	})

	it('Dropout without a ratio drops half', async () => {
		const { y, slope } = await run(dropout(['x', '', 'mode'], { mode: yes }, { x }), { x })
		expectAllclose(
			slope,
			Array.from(y, (value, i) => Number(value) / x.data[i]!),
		)
		expect(new Set(slope)).toEqual(new Set([0, 2]))
	})

	it('Dropout in inference hands the gradient on', async () => {
		const constants = { ratio: floatTensor([], [0.25]), mode: no }
		const { slope } = await run(dropout(['x', 'ratio', 'mode'], constants, { x }), { x })
		expect(new Set(slope)).toEqual(new Set([1]))
	})

	it('Dropout whose mode is fed follows it', async () => {
		for (const mode of [0, 1]) {
			const feeds = { x, mode: { dims: [], data: Uint8Array.of(mode), dtype: 'bool' as const } }
			const { y, slope } = await run(dropout(['x', 'ratio', 'mode'], { ratio: floatTensor([], [0.25]) }, feeds), feeds)
			expectAllclose(
				slope,
				Array.from(y, (value, i) => Number(value) / x.data[i]!),
			)
			expect(slope.includes(0)).toBe(mode === 1)
		}
	})
})
