import { describe, expect, it } from 'vitest'
import { gradient } from '../../../src/graph/gradient/gradient.ts'
import { floatTensor, type Graph, makeNode } from '../../../src/graph/graph.ts'
import { inferShapes } from '../../../src/model/shapes.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { awayFrom, checkGradient, expectAllclose, graphOf, wave } from '../../helpers/gradients.ts'

const runtime = await nodeRuntime({ threads: 1 })
const feeds = { x: wave([2, 3]) }
const X = Array.from(feeds.x.data, Number)

function known(nodes: Graph['nodes'], outputs = ['loss']): Promise<Graph> {
	return inferShapes(graphOf(nodes, feeds, outputs), runtime, feeds)
}

const sum = (name: string) => makeNode('ReduceSum', [name], ['loss'], { keepdims: 0 })

describe('gradient', () => {
	it('adds one output for each of wrt, of its shape, behind the outputs that the graph had', async () => {
		const graph = await known([makeNode('Exp', ['x'], ['y']), sum('y')])
		const { graph: backward, of } = gradient(graph, 'loss', ['x', 'y'])
		expect(backward.outputs.map(({ name }) => name)).toEqual(['loss', of.get('x'), of.get('y')])
		const session = await runtime.load(backward)
		const results = await session.run(feeds)
		await session.close()
		expect(results[of.get('x')!]!.dims).toEqual([2, 3])
		expectAllclose(results[of.get('x')!]!.data, X.map(Math.exp))
		expectAllclose(results[of.get('y')!]!.data, Array(6).fill(1))
	})

	it('does not touch the graph it is given', async () => {
		const graph = await known([makeNode('Exp', ['x'], ['y']), sum('y')])
		const before = [...graph.nodes]
		gradient(graph, 'loss', ['x'])
		expect(graph.nodes).toEqual(before)
	})

	it('sums over all ways by which the loss depends on a value', async () => {
		const nodes = [
			makeNode('Sin', ['x'], ['a']),
			makeNode('Mul', ['a', 'x'], ['b']),
			makeNode('Add', ['b', 'a'], ['c']),
			makeNode('Mul', ['c', 'c'], ['y']),
		]
		await checkGradient(graphOf(nodes, feeds, ['y']), feeds, ['x'])
	})

	it('differentiates its own result: second derivatives', async () => {
		const graph = await known([makeNode('Sin', ['x'], ['y']), sum('y')])
		const { graph: first, of } = gradient(graph, 'loss', ['x'])
		const again = [makeNode('ReduceSum', [of.get('x')!], ['sum of slopes'], { keepdims: 0 })]
		const outputs = [{ name: 'sum of slopes', dtype: 'float32' as const, shape: [] }]
		const whole = await inferShapes({ ...first, nodes: [...first.nodes, ...again], outputs }, runtime, feeds)
		const second = gradient(whole, 'sum of slopes', ['x'])
		const session = await runtime.load(second.graph)
		const found = (await session.run(feeds))[second.of.get('x')!]!
		await session.close()
		expectAllclose(
			found.data,
			X.map((value) => -Math.sin(value)),
		)
	})

	it('with respect to a constant of the graph', async () => {
		const constants = { w: floatTensor([3], [1, 2, 3]) }
		await checkGradient(graphOf([makeNode('Mul', ['x', 'w'], ['y'])], feeds, ['y'], { constants }), feeds, ['w'])
	})

	it('operators without derivative between wrt and the loss do no harm where another way exists', async () => {
		const nodes = [
			makeNode('Floor', ['x'], ['floor']),
			makeNode('Sub', ['x', 'floor'], ['rest']),
			makeNode('Shape', ['rest'], ['shape']),
			makeNode('Reshape', ['rest', 'shape'], ['y']),
		]
		const offBends = { x: awayFrom(feeds.x, [-1, 0, 1]) }
		await checkGradient(graphOf(nodes, offBends, ['y']), offBends, ['x'])
	})

	describe('names', () => {
		it('an operator without a rule, and the path by which the loss reached it', async () => {
			const nodes = [makeNode('Tan', ['x'], ['t']), makeNode('Exp', ['t'], ['e']), sum('e')]
			const graph = await known(nodes)
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(
				expect.objectContaining({
					code: 'no-gradient',
					layer: 't',
					message: 't: operator Tan has no gradient rule; the loss reaches it by loss (ReduceSum) ← e (Exp) ← t (Tan)',
				}),
			)
		})

		it('an operator of another domain with the domain', async () => {
			const graph = await known([makeNode('Exp', ['x'], ['y']), sum('y')])
			const nodes = graph.nodes.map((node) => (node.op === 'Exp' ? { ...node, domain: 'com.example' } : node))
			expect(() => gradient({ ...graph, nodes }, 'loss', ['x'])).toThrow(
				/operator com\.example\.Exp has no gradient rule/,
			)
		})

		it('a long path, shortened in the middle', async () => {
			const chain = Array.from({ length: 12 }, (_, i) => makeNode('Sigmoid', [`v${i}`], [`v${i + 1}`]))
			const graph = await known([makeNode('Tan', ['x'], ['v0']), ...chain, sum('v12')])
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(/loss \(ReduceSum\) ← v12 .* … 6 more … .* ← v0 \(Tan\)$/)
		})

		it('a loss that is not one number, with its shape', async () => {
			const graph = await known([makeNode('Exp', ['x'], ['loss'])])
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(
				expect.objectContaining({ code: 'not-a-scalar', message: expect.stringContaining('found shape [2, 3]') }),
			)
		})

		it('a value whose shape nothing tells, with the way out', () => {
			const graph = graphOf([makeNode('Exp', ['x'], ['y']), sum('y')], feeds, ['loss'])
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(
				expect.objectContaining({ code: 'shape-unknown', message: expect.stringContaining('infer shapes') }),
			)
		})

		it('something that the loss does not depend on', async () => {
			const graph = await known(
				[makeNode('Exp', ['x'], ['y']), makeNode('Exp', ['x'], ['other']), sum('y')],
				['loss', 'other'],
			)
			const expected = { code: 'unconnected', layer: 'other' }
			expect(() => gradient(graph, 'loss', ['other'])).toThrow(expect.objectContaining(expected))
		})

		it('something that the loss depends on through integers only', async () => {
			const nodes = [makeNode('ArgMax', ['x'], ['i']), makeNode('Cast', ['i'], ['y'], { to: 1 }), sum('y')]
			const graph = await known(nodes)
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(expect.objectContaining({ code: 'unconnected' }))
		})

		it('an operand that must be constant but is computed', async () => {
			const axes = { x: feeds.x, axes: { dims: [1], data: BigInt64Array.of(0n) } }
			const nodes = [
				makeNode('ReduceMean', ['x', 'axes'], ['y'], { keepdims: 1 }),
				makeNode('ReduceSum', ['y'], ['loss'], { keepdims: 0 }),
			]
			const graph = await inferShapes(graphOf(nodes, axes, ['loss'], { opset: 18 }), runtime, axes)
			expect(() => gradient(graph, 'loss', ['x'])).toThrow(
				expect.objectContaining({ code: 'no-gradient', message: expect.stringContaining('axes must be a constant') }),
			)
		})
	})
})
