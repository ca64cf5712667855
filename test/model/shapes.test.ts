import { describe, expect, it } from 'vitest'
import { intTensor, makeNode } from '../../src/graph/graph.ts'
import { inferShapes } from '../../src/model/shapes.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { graphOf, wave } from '../helpers/gradients.ts'

const runtime = await nodeRuntime({ threads: 1 })

describe('inferShapes', () => {
	const constants = { last: intTensor([1]), axes: intTensor([0]) }
	/** Flattens by a shape that it computes, as exporters do; `flat` is the result. */
	const nodes = [
		makeNode('Shape', ['x'], ['shape']),
		makeNode('Gather', ['shape', 'last'], ['columns']),
		makeNode('Concat', ['minus one', 'columns'], ['to'], { axis: 0 }),
		makeNode('Relu', ['x'], ['positive']),
		makeNode('Reshape', ['positive', 'to'], ['flat']),
	]
	const feeds = { x: wave([2, 3, 1]) }
	const graph = graphOf(nodes, feeds, ['flat'], { constants: { ...constants, 'minus one': intTensor([-1]) } })

	it('tells shape and type of intermediates, outputs and inputs in numbers', async () => {
		const symbolic = { ...graph, inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3, 1] }] }
		const known = await inferShapes(symbolic, runtime, feeds)
		expect(known.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: [2, 3, 1] }])
		expect(known.outputs).toEqual([{ name: 'flat', dtype: 'float32', shape: [2, 3] }])
		expect(known.valueInfo).toContainEqual({ name: 'positive', dtype: 'float32', shape: [2, 3, 1] })
	})

	it('makes constants of integers that only depend on shapes, and leaves what depends on values', async () => {
		const known = await inferShapes(graph, runtime, feeds)
		expect(known.nodes.map(({ op }) => op)).toEqual(['Relu', 'Reshape'])
		expect(known.initializers.get('to')).toEqual({ ...intTensor([-1, 3]) })
		const argMax = graphOf([makeNode('ArgMax', ['x'], ['i'], { axis: 1 })], feeds, ['i'])
		expect((await inferShapes(argMax, runtime, feeds)).nodes).toHaveLength(1)
	})

	it('keeps integers that are outputs', async () => {
		const known = await inferShapes(
			{ ...graph, outputs: [{ name: 'to', dtype: 'int64', shape: null }] },
			runtime,
			feeds,
		)
		expect(known.nodes.map(({ outputs }) => outputs[0])).toContain('to')
	})

	it('answers as before', async () => {
		const known = await inferShapes(graph, runtime, feeds)
		const [before, after] = [await runtime.load(graph), await runtime.load(known)]
		expect(await after.run(feeds)).toEqual(await before.run(feeds))
		await before.close()
		await after.close()
	})
})
