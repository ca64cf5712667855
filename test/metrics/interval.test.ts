import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { wilson } from '../../src/metrics/interval.ts'

/** scipy 1.17.1: `binomtest(hits, total).proportion_ci(0.95, method='wilson')`. */
const SCIPY = [
	[5, 10, 0.236593090512564, 0.7634069094874361],
	[3, 20, 0.05236874589621662, 0.3604188647407569],
	[12_653, 12_830, 0.9840354114475357, 0.9880819425053798],
] as const

/** A count with a total of at least 1. */
const counts = fc
	.integer({ min: 1, max: 100_000 })
	.chain((total) => fc.tuple(fc.integer({ min: 0, max: total }), fc.constant(total)))

describe('wilson', () => {
	it.each(SCIPY)('gives what scipy gives for %d of %d', (hits, total, low, high) => {
		const interval = wilson(hits, total)
		expect(interval?.sides).toBe('both')
		expect(interval?.low).toBeCloseTo(low, 12)
		expect(interval?.high).toBeCloseTo(high, 12)
	})

	it('bounds 0 of n from above alone: at the bound, n misses in a row have a chance of exactly 5 %', () => {
		const interval = wilson(0, 59)
		expect(interval).toMatchObject({ low: 0, sides: 'upper' })
		expect((1 - interval!.high) ** 59).toBeCloseTo(0.05, 12)
	})

	it('bounds n of n from below alone, mirroring 0 of n', () => {
		const interval = wilson(300, 300)
		expect(interval).toMatchObject({ high: 1, sides: 'lower' })
		expect(interval!.low).toBeCloseTo(1 - wilson(0, 300)!.high, 12)
	})

	it('is near the rule of three for 0 of many (Hanley and Lippman-Hand, JAMA 249, 1983)', () => {
		expect(wilson(0, 10_000)!.high).toBeCloseTo(3 / 10_000, 5)
	})

	it('has no interval for an empty set', () => {
		expect(wilson(0, 0)).toBeNull()
	})

	it.each([
		[5, 4],
		[-1, 4],
		[0.5, 4],
		[1, Number.NaN],
	])('rejects %d of %d, which is no count', (hits, total) => {
		expect(() => wilson(hits, total)).toThrow(InputError)
	})

	it('contains the share and lies in 0..1, whatever the count', () => {
		fc.assert(
			fc.property(counts, ([hits, total]) => {
				const { low, high } = wilson(hits, total)!
				expect(low).toBeGreaterThanOrEqual(0)
				expect(low).toBeLessThanOrEqual(hits / total)
				expect(high).toBeGreaterThanOrEqual(hits / total)
				expect(high).toBeLessThanOrEqual(1)
			}),
		)
	})

	it('narrows when the same share is seen on more images', () => {
		fc.assert(
			fc.property(counts, fc.integer({ min: 2, max: 50 }), ([hits, total], times) => {
				const few = wilson(hits, total)!
				const many = wilson(hits * times, total * times)!
				expect(many.high - many.low).toBeLessThan(few.high - few.low)
			}),
		)
	})
})
