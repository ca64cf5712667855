import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { putBeside } from '../../src/graph/beside.ts'
import { nodeName } from '../../src/graph/graph.ts'
import { valueNames } from '../../src/graph/query.ts'
import { cnnShape } from '../helpers/arbitraries.ts'
import { modelOf } from '../helpers/models.ts'
import { randomCnn, randomValues } from '../helpers/networks.ts'

const SAME_INPUT = new Map([['x', 'x']])

describe('putBeside', () => {
	it('computes what both graphs compute, from one input', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, async (shape) => {
				const [one, two] = [
					await modelOf(randomCnn(shape)),
					await modelOf(randomCnn({ ...shape, seed: shape.seed + 1 })),
				]
				const { graph, nameOf } = putBeside(one.graph, two.graph, SAME_INPUT, '/two')
				const random = randomValues(shape.seed)
				const data = Float32Array.from({ length: 2 * shape.colours * shape.size ** 2 }, random)
				const feeds = { x: { dims: [2, shape.colours, shape.size, shape.size], data } }
				const outputs = [one.logits, nameOf(two.logits)].map((name) => ({
					name,
					dtype: 'float32' as const,
					shape: null,
				}))
				const session = await one.runtime.load({ ...graph, outputs })
				const both = await session.run(feeds)
				for (const [model, name] of [
					[one, one.logits],
					[two, nameOf(two.logits)],
				] as const) {
					const alone = await model.runtime.load({
						...model.graph,
						outputs: [model.values.get(model.logits)!],
					})
					expect(both[name]!.data).toEqual((await alone.run(feeds))[model.logits]!.data)
				}
			}),
			{ numRuns: 10 },
		)
	})

	it('shares nothing that it is not told to, not even with itself, and names of values and nodes stay apart', () => {
		const graph = randomCnn({
			...{ size: 4, colours: 1, channels: 2, classes: 2, normalize: true, activation: 'Relu' },
			...{ pooling: 'MaxPool', residual: false, seed: 1 },
		})
		const twice = putBeside(graph, graph, SAME_INPUT, '/copy')
		const thrice = putBeside(twice.graph, graph, SAME_INPUT, '/copy')
		expect(twice.nameOf('logits')).toBe('logits/copy')
		expect(thrice.nameOf('logits')).toBe('logits/copy_2')
		expect(thrice.graph.initializers.size).toBe(3 * graph.initializers.size)
		expect(valueNames(thrice.graph).size).toBe(3 * valueNames(graph).size - 2)
		expect(new Set(thrice.graph.nodes.map(nodeName)).size).toBe(3 * graph.nodes.length)
	})

	it('takes given values in place of constants', () => {
		const graph = randomCnn({
			...{ size: 4, colours: 1, channels: 2, classes: 2, normalize: false, activation: 'Relu' },
			...{ pooling: 'MaxPool', residual: false, seed: 1 },
		})
		const given = new Map([...SAME_INPUT, ['conv_1/kernel', 'conv_2/kernel']])
		const both = putBeside(graph, graph, given, '/copy').graph
		expect(both.initializers.has('conv_1/kernel/copy')).toBe(false)
		expect(both.nodes.filter(({ inputs }) => inputs.includes('conv_2/kernel'))).toHaveLength(2)
	})
})
