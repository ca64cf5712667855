import fc from 'fast-check'
import { describe, it } from 'vitest'
import { checkGradient, operatorGraph, wave } from '../../helpers/gradients.ts'

/** Shapes that broadcast against one another: each keeps some of the trailing axes of one shape, some of them at length 1. */
const shapes = (count: number) =>
	fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }).chain((full) => {
		const kept = fc.tuple(
			fc.nat(full.length),
			fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
		)
		const shape = kept.map(([from, ones]) => full.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(from))
		return fc.array(shape, { minLength: count, maxLength: count })
	})

describe('arithmeticRules', () => {
	it('Add, Sub, Mul, Div: every pattern of broadcasting agrees with central differences', async () => {
		await fc.assert(
			fc.asyncProperty(fc.constantFrom('Add', 'Sub', 'Mul', 'Div'), shapes(2), async (op, [a, b]) => {
				const feeds = { a: wave(a!), b: wave(b!, 1, 0.5, 2) }
				await checkGradient(operatorGraph(op, ['a', 'b'], feeds), feeds, ['a', 'b'])
			}),
			{ numRuns: 50 },
		)
	})

	it('Sum, Mean: one to four operands that broadcast agree with central differences', async () => {
		const operands = fc.integer({ min: 1, max: 4 }).chain(shapes)
		await fc.assert(
			fc.asyncProperty(fc.constantFrom('Sum', 'Mean'), operands, async (op, dims) => {
				const feeds = Object.fromEntries(dims.map((each, i) => [`x${i}`, wave(each, i)]))
				await checkGradient(operatorGraph(op, Object.keys(feeds), feeds), feeds, Object.keys(feeds))
			}),
			{ numRuns: 30 },
		)
	})

	it('an operand that stands on both sides gets both gradients', async () => {
		const feeds = { x: wave([2, 3]) }
		await checkGradient(operatorGraph('Mul', ['x', 'x'], feeds), feeds, ['x'])
	})
})
