import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { countWithin, der, dropReached, pointsLost } from '../../src/metrics/rates.ts'

describe('dropReached', () => {
	it('is reached at exactly 2 points, which floating point would lose', () => {
		expect(100 * (0.57 - 0.55) >= 2).toBe(false)
		expect(dropReached(57, 55, 100, 2)).toBe(true)
	})

	it.each([
		[1000, 975, 1000, 2.5, true],
		[1000, 976, 1000, 2.5, false],
		[1000, 999, 1000, 0.1, true],
		[3000, 2998, 3000, 0.1, false],
		[10_000_000, 9_999_999, 10_000_000, 1e-5, true],
		[10_000_000, 9_999_999, 10_000_000, 1e-7, true],
		[10_000_000, 10_000_000, 10_000_000, 1e-7, false],
		[100, 0, 100, 1e21, false],
	])('from %d to %d of %d is a drop of %d points: %s', (baseline, correct, total, drop, expected) => {
		expect(dropReached(baseline, correct, total, drop)).toBe(expected)
	})

	it('finds the 2-point net of the published lab: 11,391 → 11,057 of 11,547 is 2.89 points', () => {
		expect(dropReached(11_391, 11_057, 11_547, 2)).toBe(true)
		expect(dropReached(11_391, 11_057, 11_547, 2.9)).toBe(false)
	})

	it('is never reached on an empty set', () => {
		expect(dropReached(0, 0, 0, 2)).toBe(false)
	})

	it.each([Number.NaN, Number.POSITIVE_INFINITY])('rejects a drop of %d', (drop) => {
		expect(() => dropReached(10, 9, 10, drop)).toThrow(UsageError)
	})

	it('stays reached when more is lost or less is asked', () => {
		const total = fc.integer({ min: 1, max: 20_000 })
		const tenths = fc.integer({ min: 0, max: 1000 })
		fc.assert(
			fc.property(total, fc.nat(), fc.nat(), tenths, tenths, (n, a, b, x, y) => {
				const [less, more] = [a % (n + 1), b % (n + 1)].sort((p, q) => p - q) as [number, number]
				const [small, large] = [x / 10, y / 10].sort((p, q) => p - q) as [number, number]
				if (!dropReached(n, more, n, large)) return
				expect(dropReached(n, less, n, large)).toBe(true)
				expect(dropReached(n, more, n, small)).toBe(true)
			}),
		)
	})

	it('agrees with integer arithmetic in tenths of a point', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 20_000 }), fc.nat(20_000), fc.nat(1000), (total, lost, tenths) => {
				expect(dropReached(lost, 0, total, tenths / 10)).toBe(lost * 1000 >= tenths * total)
			}),
		)
	})
})

describe('countWithin', () => {
	it.each([
		[1, 2534, 25],
		[1, 52, 0],
		[2, 50, 1],
		[0.1, 3000, 3],
		[29, 100, 29],
	])('%d points of %d are at most %d', (points, total, expected) => {
		expect(countWithin(points, total)).toBe(expected)
	})

	it('is the last count that does not exceed the points, in tenths', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 999 }), fc.nat(20_000), (tenths, total) => {
				const count = countWithin(tenths / 10, total)
				expect(count * 1000).toBeLessThanOrEqual(tenths * total)
				expect((count + 1) * 1000).toBeGreaterThan(tenths * total)
			}),
		)
	})
})

describe('pointsLost', () => {
	it('is the difference in percent points, not in percent of the baseline', () => {
		expect(pointsLost({ correct: 80, total: 100 }, { correct: 60, total: 100 })).toBe(20)
	})

	it('compares sets of different size by their rates, and is negative where accuracy rose', () => {
		expect(pointsLost({ correct: 5, total: 10 }, { correct: 15, total: 20 })).toBe(-25)
	})
})

describe('der', () => {
	const counts = (correct: number, hits: number) => ({ clean: { correct, total: 100 }, poisoned: { hits, total: 100 } })

	it('is 1 where the trigger goes and nothing is lost', () => {
		expect(der(counts(90, 100), counts(90, 0))).toBe(1)
	})

	it('is ½ where nothing changes, and where both rates only get better or worse for free', () => {
		expect(der(counts(90, 50), counts(90, 50))).toBe(0.5)
		expect(der(counts(90, 50), counts(95, 60))).toBe(0.5)
	})

	it('weighs the accuracy that a repair costs', () => {
		expect(der(counts(90, 100), counts(80, 20))).toBeCloseTo((0.8 - 0.1 + 1) / 2, 12)
	})
})
