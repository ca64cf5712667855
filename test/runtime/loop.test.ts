/** What a loop promises, on every engine: the calling thread, worker threads, WebAssembly. */
import { afterAll, describe, expect, it } from 'vitest'
import { floatTensor, type Graph, makeNode } from '../../src/graph/graph.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import type { Carried, Feed, Loop, Runtime } from '../../src/runtime/runtime.ts'
import { webRuntime } from '../../src/runtime/web.ts'

/** `total ← 2·total + x`, and beside it `count ← count + 1`: the order of the calls shows in `total`. Gives `seen = total + x`. */
function accumulator(): Graph {
	const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [2] })
	return {
		name: 'accumulator',
		nodes: [
			makeNode('Mul', ['total', 'two'], ['doubled']),
			makeNode('Add', ['doubled', 'x'], ['next_total']),
			makeNode('Add', ['count', 'one'], ['next_count']),
			makeNode('Add', ['total', 'x'], ['seen']),
		],
		inputs: ['x', 'total', 'count'].map(value),
		outputs: ['seen', 'next_total', 'next_count'].map(value),
		initializers: new Map([
			['two', floatTensor([1], [2])],
			['one', floatTensor([1], [1])],
		]),
		valueInfo: [],
		irVersion: 8,
		opsets: new Map([['', 13]]),
		metadata: new Map(),
		producerName: 'test',
		producerVersion: '1',
	}
}

const pair = (a: number, b: number): Feed => ({ dims: [2], data: Float32Array.of(a, b) })

function carriedFrom(total: Feed, count: Feed): Carried {
	return {
		outputOf: new Map([
			['total', 'next_total'],
			['count', 'next_count'],
		]),
		state: { total, count },
	}
}

const numbers = (feeds: Readonly<Record<string, Feed>>) =>
	Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, [...(data as Float32Array)]]))

const ENGINES: Readonly<Record<string, () => Promise<Runtime>>> = {
	'onnxruntime-node in the calling thread': () => nodeRuntime({ threads: 1 }),
	'onnxruntime-node in worker threads': () => nodeRuntime({ threads: 2 }),
	'onnxruntime-web': async () => webRuntime(),
}

for (const [name, open] of Object.entries(ENGINES)) {
	describe(`a loop of ${name}`, () => {
		const loops: Loop[] = []
		afterAll(async () => {
			for (const loop of loops) await loop.close()
		})
		const start = async (total = pair(1, -1), count = pair(0, 0)) => {
			const loop = await (await open()).loadLoop(accumulator(), carriedFrom(total, count))
			loops.push(loop)
			return loop
		}

		it('feeds its own outputs back, and gives out the others only', async () => {
			const loop = await start()
			expect(numbers(await loop.run({ x: pair(1, 2) }))).toEqual({ seen: [2, 1] })
			expect(numbers(await loop.run({ x: pair(1, 2) }))).toEqual({ seen: [4, 2] })
			expect(numbers(await loop.state())).toEqual({ total: [7, 2], count: [2, 2] })
		})

		it('tells the state that it began with before the first run', async () => {
			const loop = await start(pair(0.1, 3), pair(5, 6))
			expect(numbers(await loop.state())).toEqual({ total: [Math.fround(0.1), 3], count: [5, 6] })
		})

		it('runs in the order of the calls, however many are under way, and tells the state after all of them', async () => {
			const loop = await start(pair(0, 0))
			const xs = Array.from({ length: 12 }, (_, i) => i % 5)
			const runs = xs.map((x) => loop.run({ x: pair(x, -x) }))
			const state = loop.state()
			let total = 0
			const seen = xs.map((x) => {
				const before = total
				total = 2 * total + x
				return [before + x, -(before + x) + 0]
			})
			expect((await Promise.all(runs)).map((each) => numbers(each).seen!.map((value) => value + 0))).toEqual(seen)
			expect(numbers(await state)).toEqual({ total: [total, -total], count: [12, 12] })
		})

		it('leaves the caller its arrays where they are not given away, and its state is a copy', async () => {
			const total = pair(1, 1)
			const loop = await start(total)
			const x = pair(3, 4)
			await loop.run({ x })
			expect([...(x.data as Float32Array)]).toEqual([3, 4])
			expect([...(total.data as Float32Array)]).toEqual([1, 1])
			const state = await loop.state()
			;(state.total!.data as Float32Array).fill(99)
			expect(numbers(await loop.state()).total).toEqual([5, 6])
			await loop.run({ x }, true)
			expect(numbers(await loop.state()).total).toEqual([13, 16])
		})

		it('a run that fails is named, changes nothing, and the next one goes on from the state before', async () => {
			const loop = await start(pair(1, 1))
			const bad = loop.run({ x: { dims: [3], data: new Float32Array(3) } })
			const good = loop.run({ x: pair(1, 1) })
			await expect(bad).rejects.toMatchObject({ code: 'run-failed', exitCode: 3 })
			await expect(loop.run({})).rejects.toMatchObject({ code: 'run-failed' })
			expect(numbers(await good)).toEqual({ seen: [2, 2] })
			expect(numbers(await loop.state())).toEqual({ total: [3, 3], count: [1, 1] })
		})

		it('two loops do not mix', async () => {
			const [one, two] = [await start(pair(1, 1)), await start(pair(10, 10))]
			await Promise.all([one.run({ x: pair(0, 0) }), two.run({ x: pair(0, 0) }), one.run({ x: pair(0, 0) })])
			expect(numbers(await one.state()).total).toEqual([4, 4])
			expect(numbers(await two.state()).total).toEqual([20, 20])
		})

		it('goes on from what state() told as if it had never stopped, bit for bit', async () => {
			const whole = await start(pair(0.1, 0.7))
			const first = await start(pair(0.1, 0.7))
			for (let i = 0; i < 3; i++) await first.run({ x: pair(0.3, i) })
			const { total, count } = await first.state()
			const second = await start(total!, count!)
			for (let i = 3; i < 6; i++) await second.run({ x: pair(0.3, i) })
			for (let i = 0; i < 6; i++) await whole.run({ x: pair(0.3, i) })
			expect(numbers(await second.state())).toEqual(numbers(await whole.state()))
		})

		it('refuses a graph that the engine cannot run', async () => {
			const graph = accumulator()
			const nodes = graph.nodes.map((node) => ({ ...node, op: 'Frobnicate' }))
			const load = (await open()).loadLoop({ ...graph, nodes }, carriedFrom(pair(0, 0), pair(0, 0)))
			await expect(load).rejects.toMatchObject({ code: 'not-runnable', exitCode: 3 })
		})

		it('closes once its last run has ended', async () => {
			const loop = await (await open()).loadLoop(accumulator(), carriedFrom(pair(0, 0), pair(0, 0)))
			const run = loop.run({ x: pair(1, 1) })
			await loop.close()
			expect(numbers(await run)).toEqual({ seen: [1, 1] })
		})
	})
}
