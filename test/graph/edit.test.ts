import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, extract, renameValues, zeroChannels } from '../../src/graph/edit.ts'
import { floatsOf } from '../../src/graph/graph.ts'
import { maskValue } from '../../src/graph/mask.ts'
import { cnnShape } from '../helpers/arbitraries.ts'
import { modelOf } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn, randomValues } from '../helpers/networks.ts'

const RUNS = { numRuns: 15 }

describe('cut', () => {
	it('gives two halves that compute together what the whole computes, skip connections included', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, fc.constantFrom('conv_1', 'act_1', 'layer', 'conv_2'), async (shape, at) => {
				const model = await modelOf(randomCnn(shape))
				const typeOf = (name: string) => model.values.get(name)!
				const { trunk, head } = cut(model.graph, at, typeOf('logits'), typeOf)
				const random = randomValues(shape.seed)
				const data = Float32Array.from({ length: 2 * shape.colours * shape.size ** 2 }, random)
				const feeds = { x: { dims: [2, shape.colours, shape.size, shape.size], data } }
				const run = async (graph: typeof trunk, inputs: typeof feeds) => {
					const session = await model.runtime.load(graph)
					return session.run(inputs)
				}
				const whole = (await run(extract(model.graph, [typeOf('logits')]), feeds)).logits!.data as Float32Array
				const middle = await run(trunk, feeds)
				const halves = (await run(head, middle as never)).logits!.data as Float32Array
				for (const [i, value] of whole.entries()) expect(halves[i]).toBeCloseTo(value, 4)
			}),
			RUNS,
		)
	})
})

describe('edits', () => {
	const graph = randomCnn({ ...PLAIN_SHAPE, channels: 3, seed: 4 })

	it('zeroChannels returns a new graph and leaves the given one untouched, sharing every other tensor', () => {
		const before = floatsOf(graph.initializers.get('conv_1/kernel')!).slice()
		const after = zeroChannels(graph, [{ name: 'conv_1/kernel', axis: 0 }], [1])
		expect(floatsOf(graph.initializers.get('conv_1/kernel')!)).toEqual(before)
		expect([...floatsOf(after.initializers.get('conv_1/kernel')!)]).toEqual(
			[...before].map((v, i) => (i >= 9 && i < 18 ? 0 : v)),
		)
		expect(after.initializers.get('dense/kernel')).toBe(graph.initializers.get('dense/kernel'))
	})

	it('maskValue is read by everything that read the value', () => {
		const masked = maskValue(graph, 'layer', { channels: [0], count: 3, axis: 1, rank: 4 })
		expect(masked.nodes.filter((node) => node.inputs.includes('layer')).map(({ op }) => op)).toEqual(['Mul'])
		expect(() => maskValue(graph, 'output', { channels: [0], count: 2, axis: 1, rank: 2 })).toThrow(/nothing after it/)
	})

	it('renaming there and back changes nothing', () => {
		const there = renameValues(graph, (name) => `${name}!`)
		expect(renameValues(there, (name) => name.slice(0, -1))).toEqual(graph)
	})
})
