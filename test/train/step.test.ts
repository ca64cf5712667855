import { describe, expect, it } from 'vitest'
import { floatTensor, makeNode } from '../../src/graph/graph.ts'
import { differentiate, type Forward, LABELS } from '../../src/train/problem.ts'
import { runSteps, scalarFeeds } from '../../src/train/run-steps.ts'
import { sgd } from '../../src/train/sgd.ts'
import { buildStep } from '../../src/train/step.ts'
import { wrapGraph } from '../helpers/networks.ts'
import { runtime } from '../lab/subjects.ts'

/** `loss = Σ x·w`, whose gradient is `x`: with a learning rate of 1 each step takes `x` from `w`. */
function problem(): Forward {
	const tensor = floatTensor([2], [0.5, 0.5])
	const nodes = [
		makeNode('Mul', ['x', 'w'], ['product']),
		makeNode('ReduceSum', ['product'], ['output'], { keepdims: 0 }),
	]
	const graph = { ...wrapGraph(nodes, new Map([['w', tensor]]), [2], []), opsets: new Map([['', 17]]) }
	const valueInfo = [{ name: 'product', dtype: 'float32' as const, shape: [2] }]
	return {
		graph: { ...graph, valueInfo },
		loss: 'output',
		correct: 'output',
		parameters: [{ name: 'w', tensor, isKernel: false }],
		statistics: new Map(),
	}
}

describe('buildStep and runSteps', () => {
	it('descend, and bring a parameter back into its range after every step', async () => {
		const optimizer = sgd({ momentum: 0 })
		const ranges = new Map([['w', { low: 0, high: 1 }]])
		const step = buildStep(differentiate(problem()), ['output'], { optimizer, clip: null, masks: new Map(), ranges })
		const loop = await runtime.loadLoop(step.graph, step.carried)
		const x = [
			[0.25, -0.25],
			[4, -4],
			[-0.5, 0.5],
		]
		const told: unknown[] = []
		const feedsOf = (number: number) => ({
			x: { dims: [2], data: Float32Array.from(x[number]!) },
			...scalarFeeds(optimizer, number, 1),
		})
		for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: 3 })) {
			told.push([done, results.output!.data[0], [...((await loop.state()).w!.data as Float32Array)]])
		}
		await loop.close()
		expect(told).toEqual([
			[1, 0, [0.25, 0.75]],
			[2, -2, [0, 1]],
			[3, 0.5, [0.5, 0.5]],
		])
		expect(LABELS in step.carried.state).toBe(false)
	})

	it('stops before the next step once it is told to', async () => {
		const optimizer = sgd({ momentum: 0 })
		const step = buildStep(differentiate(problem()), [], { optimizer, clip: null, masks: new Map() })
		const loop = await runtime.loadLoop(step.graph, step.carried)
		const stop = new AbortController()
		const seen: number[] = []
		const run = async () => {
			const feedsOf = (number: number) => ({
				x: { dims: [2], data: new Float32Array(2) },
				...scalarFeeds(optimizer, number, 1),
			})
			for await (const { done } of runSteps(loop, feedsOf, { from: 5, to: 100, signal: stop.signal })) {
				seen.push(done)
				if (done === 7) stop.abort()
			}
		}
		await expect(run()).rejects.toMatchObject({ code: 'interrupted' })
		await loop.close()
		expect(seen).toEqual([6, 7])
	})
})
