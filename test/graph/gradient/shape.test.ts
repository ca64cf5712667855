import fc from 'fast-check'
import { describe, it } from 'vitest'
import { intTensor, makeNode } from '../../../src/graph/graph.ts'
import { checkGradient, graphOf, operatorGraph, wave } from '../../helpers/gradients.ts'

const dims = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })

describe('shapeRules', () => {
	it('Transpose: any permutation agrees with central differences', async () => {
		const example = dims.chain((shape) =>
			fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
		)
		await fc.assert(
			fc.asyncProperty(example, async ([shape, perm]) => {
				const feeds = { x: wave(shape) }
				await checkGradient(operatorGraph('Transpose', ['x'], feeds, { perm }), feeds, ['x'])
			}),
			{ numRuns: 20 },
		)
	})

	it('Concat: any axis, any of the operands wanted, agrees with central differences', async () => {
		const lengths = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 })
		await fc.assert(
			fc.asyncProperty(lengths, fc.integer({ min: -3, max: 2 }), fc.nat(), async (lengths, axis, pick) => {
				const at = axis < 0 ? axis + 3 : axis
				const feeds = Object.fromEntries(lengths.map((length, i) => [`x${i}`, wave([2, 3, 2].with(at, length), i)]))
				const names = Object.keys(feeds)
				const graph = operatorGraph('Concat', names, feeds, { axis })
				await checkGradient(graph, feeds, pick % 2 === 0 ? names : [names[pick % names.length]!])
			}),
			{ numRuns: 30 },
		)
	})

	it('Split: parts that the loss does not use count as zero', async () => {
		const feeds = { x: wave([2, 6]) }
		const nodes = [makeNode('Split', ['x', 'sizes'], ['a', 'b', 'c'], { axis: 1 }), makeNode('Mul', ['a', 'a'], ['y'])]
		await checkGradient(graphOf(nodes, feeds, ['y'], { constants: { sizes: intTensor([2, 1, 3]) } }), feeds, ['x'])
	})

	it('Split of opset 18, by number of outputs and with a shorter last part', async () => {
		const feeds = { x: wave([2, 5]) }
		const options = { opset: 18, outputs: ['a', 'b', 'c'] }
		await checkGradient(operatorGraph('Split', ['x'], feeds, { axis: -1, num_outputs: 3 }, options), feeds, ['x'])
	})

	it('Expand and Tile: what was repeated is summed, for any shape', async () => {
		const repeats = dims.chain((shape) =>
			fc.tuple(
				fc.constant(shape),
				fc.array(fc.integer({ min: 1, max: 3 }), { minLength: shape.length, maxLength: shape.length }),
			),
		)
		await fc.assert(
			fc.asyncProperty(repeats, fc.boolean(), async ([shape, times], isLonger) => {
				const feeds = { x: wave(shape) }
				const tile = operatorGraph('Tile', ['x', 'n'], feeds, {}, { constants: { n: intTensor(times) } })
				await checkGradient(tile, feeds, ['x'])
				const to = [...(isLonger ? [2] : []), ...shape.map((dim, axis) => (dim === 1 ? times[axis]! : dim))]
				const expand = operatorGraph('Expand', ['x', 'n'], feeds, {}, { constants: { n: intTensor(to) } })
				await checkGradient(expand, feeds, ['x'])
			}),
			{ numRuns: 20 },
		)
	})

	it('Reshape keeps the gradient in order, for zeros and −1 in the shape too', async () => {
		const feeds = { x: wave([2, 3, 4]) }
		for (const to of [[0, -1], [4, 6], [-1]]) {
			await checkGradient(
				operatorGraph('Reshape', ['x', 'to'], feeds, {}, { constants: { to: intTensor(to) } }),
				feeds,
				['x'],
			)
		}
	})
})
