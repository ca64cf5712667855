import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mcnemar } from '../../src/metrics/mcnemar.ts'

/** scipy 1.17.1: `binomtest(b, b + c).pvalue`. */
const SCIPY = [
	[10, 3, 0.09228515625],
	[25, 5, 0.0003249142318964005],
	[100, 120, 0.2000922290282712],
	[10_000, 10_400, 0.005211904014323954],
	[357, 20, 5.695885725167137e-81],
	[350, 2, 1.354459068927316e-101],
] as const

const discordant = fc.integer({ min: 0, max: 5_000 })

describe('mcnemar', () => {
	it.each(SCIPY)('gives what scipy gives for %d against %d', (b, c, expected) => {
		expect(mcnemar(b, c) / expected).toBeCloseTo(1, 9)
	})

	it('sees no difference where both err on the same images only', () => {
		expect(mcnemar(0, 0)).toBe(1)
		expect(mcnemar(7, 7)).toBe(1)
	})

	it('stays a number where the p-value is below the smallest float', () => {
		expect(mcnemar(1_000_000, 0)).toBe(0)
	})

	it('does not care which classifier comes first, and is a probability', () => {
		fc.assert(
			fc.property(discordant, discordant, (b, c) => {
				expect(mcnemar(b, c)).toBe(mcnemar(c, b))
				expect(mcnemar(b, c)).toBeGreaterThanOrEqual(0)
				expect(mcnemar(b, c)).toBeLessThanOrEqual(1)
			}),
		)
	})

	it('is surer the more one-sided the same number of images falls', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }), (b, more) => {
				expect(mcnemar(b - 1, b + more + 1)).toBeLessThanOrEqual(mcnemar(b, b + more))
			}),
		)
	})
})
