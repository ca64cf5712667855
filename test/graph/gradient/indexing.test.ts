import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { intTensor, makeNode } from '../../../src/graph/graph.ts'
import { checkGradient, gradientsOf, graphOf, operatorGraph, wave } from '../../helpers/gradients.ts'

/** One axis of a slice that takes something: length, bounds as ONNX counts them, step. */
const range = fc
	.record({
		length: fc.integer({ min: 1, max: 6 }),
		start: fc.integer({ min: -8, max: 8 }),
		end: fc.integer({ min: -8, max: 8 }),
		step: fc.constantFrom(1, 2, 3, -1, -2, -3),
	})
	.filter(({ length, start, end, step }) => taken(length, start, end, step) > 0)

/** Python's `len(range(length)[start:end:step])`. */
function taken(length: number, start: number, end: number, step: number): number {
	const clamp = (index: number) => {
		const positive = index < 0 ? index + length : index
		return step > 0 ? Math.min(Math.max(positive, 0), length) : Math.min(Math.max(positive, -1), length - 1)
	}
	return Math.ceil((clamp(end) - clamp(start)) / step)
}

describe('indexingRules', () => {
	it('Slice: any bounds and steps on any axes, known or fed, agree with central differences', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 3 }), fc.boolean(), async (ranges, isFed) => {
				const bounds = {
					starts: ranges.map(({ start }) => start),
					ends: ranges.map(({ end }) => end),
					axes: ranges.map((_, axis) => axis - ranges.length),
					steps: ranges.map(({ step }) => step),
				}
				const x = { x: wave([2, ...ranges.map(({ length }) => length)]) }
				const names = ['x', ...Object.keys(bounds)]
				const fed = Object.entries(bounds).map(([name, values]) => [
					name,
					{ dims: [values.length], data: BigInt64Array.from(values, BigInt) },
				])
				const known = Object.entries(bounds).map(([name, values]) => [name, intTensor(values)])
				const feeds = isFed ? { ...x, ...Object.fromEntries(fed) } : x
				const constants = isFed ? {} : Object.fromEntries(known)
				await checkGradient(operatorGraph('Slice', names, feeds, {}, { constants }), feeds, ['x'])
			}),
			{ numRuns: 60 },
		)
	})

	it('Gather and GatherElements: repeated and negative indices on any axis agree with central differences', async () => {
		const index = fc.integer({ min: -3, max: 2 })
		const shape = fc.constantFrom<number[]>([], [1], [3], [2, 2])
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: -3, max: 2 }),
				shape,
				fc.array(index, { minLength: 4, maxLength: 4 }),
				fc.boolean(),
				async (axis, dims, numbers, isFed) => {
					const count = dims.reduce((product, dim) => product * dim, 1)
					const values = numbers.slice(0, count)
					const x = { x: wave([3, 3, 3]) }
					const feeds = isFed ? { ...x, i: { dims, data: BigInt64Array.from(values, BigInt) } } : x
					const constants = isFed ? {} : { i: { ...intTensor(values), dims } }
					await checkGradient(operatorGraph('Gather', ['x', 'i'], feeds, { axis }, { constants }), feeds, ['x'])
				},
			),
			{ numRuns: 40 },
		)
	})

	it('GatherElements adds where an element is taken twice', async () => {
		const feeds = { x: wave([4]), i: { dims: [3], data: BigInt64Array.of(1n, 1n, -1n) } }
		const { x } = await gradientsOf(operatorGraph('GatherElements', ['x', 'i'], feeds), feeds, ['x'])
		const w = [0, 1, 2].map((i) => Math.cos(0.7 * i + 0.3))
		for (const [i, expected] of [0, w[0]! + w[1]!, 0, w[2]!].entries()) expect(x!.data[i]).toBeCloseTo(expected, 6)
	})

	it('Slice of a slice of the same value twice over: gradients add where they overlap', async () => {
		const feeds = { x: wave([5, 4]) }
		const constants = { zero: intTensor([0]), one: intTensor([1]), four: intTensor([4]), five: intTensor([5]) }
		const nodes = [
			makeNode('Slice', ['x', 'zero', 'four'], ['a']),
			makeNode('Slice', ['x', 'one', 'five'], ['b']),
			makeNode('Mul', ['a', 'b'], ['y']),
		]
		await checkGradient(graphOf(nodes, feeds, ['y'], { constants }), feeds, ['x'])
	})
})
