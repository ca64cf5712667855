import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ThresholdRecord } from '../../../src/contracts/guard-run.ts'
import { fixedThreshold, thresholdFor } from '../../../src/defense/guard/threshold.ts'

const scores = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 })
const above = (values: readonly number[], value: number) => values.filter((score) => score > value).length

describe('thresholdFor', () => {
	it('is the smallest score that keeps to the rate, counted in integers', () => {
		fc.assert(
			fc.property(scores, fc.integer({ min: 1, max: 99 }), (values, points) => {
				const { value, valid } = thresholdFor(Float32Array.from(values), points)
				expect(valid).toEqual({ rejected: above(values, value), total: values.length })
				expect(valid.rejected * 100).toBeLessThanOrEqual(points * values.length)
				const lower = values.filter((score) => score < value)
				if (lower.length > 0) {
					expect(above(values, Math.max(...lower)) * 100).toBeGreaterThan(points * values.length)
				}
			}),
		)
	})

	it('does not lose 1 % of 300 to rounding', () => {
		const { value, valid } = thresholdFor(
			Float32Array.from({ length: 300 }, (_, i) => i),
			1,
		)
		expect({ value, valid }).toEqual({ value: 296, valid: { rejected: 3, total: 300 } })
	})

	it('of 52 images rejects none for 1 %, and says that they cannot promise less than 5.6 %', () => {
		const record = thresholdFor(
			Float32Array.from({ length: 52 }, (_, i) => i),
			1,
		)
		expect(record).toMatchObject({ value: 51, asked: 1, valid: { rejected: 0, total: 52 }, interval: { low: 0 } })
		expect(record.leastProvable).toBeCloseTo(1 - 0.05 ** (1 / 52), 12)
		expect(record.interval.high).toBe(record.leastProvable)
		expect(ThresholdRecord.parse(record)).toEqual(record)
	})

	it('gives the 95 % interval of the counts', () => {
		const { interval } = thresholdFor(
			Float32Array.from({ length: 100 }, (_, i) => i),
			10,
		)
		// scipy 1.17.1: binomtest(10, 100).proportion_ci(0.95, method='wilson')
		expect(interval.low).toBeCloseTo(0.05522913706067508, 12)
		expect(interval.high).toBeCloseTo(0.17436566150491345, 12)
	})

	it('rejects nothing where too many images have the highest score there can be, and says so', () => {
		const record = thresholdFor(Float32Array.of(3, 3, 1, 0), 25, 3)
		expect(record).toMatchObject({ value: 3, rejectsNothing: true, valid: { rejected: 0, total: 4 } })
		expect(thresholdFor(Float32Array.of(3, 1, 1, 0), 25, 3)).toMatchObject({ value: 1, rejectsNothing: false })
	})

	it.each([0, 100, -1, 101, Number.NaN])('refuses a rate of %d points', (points) => {
		expect(() => thresholdFor(Float32Array.of(1), points)).toThrow(
			expect.objectContaining({ code: 'bad-frr', message: expect.stringMatching(/above 0 and below 100/) }),
		)
	})

	it('refuses no images, and scores that are no numbers', () => {
		expect(() => thresholdFor(new Float32Array(0), 1)).toThrow(expect.objectContaining({ code: 'empty-set' }))
		for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
			expect(() => thresholdFor(Float32Array.of(1, bad), 1)).toThrow(expect.objectContaining({ code: 'not-finite' }))
		}
	})
})

describe('fixedThreshold', () => {
	it('counts what a threshold of its own rejects, also more than was asked for', () => {
		const record = fixedThreshold(0, Float32Array.of(1, 1, 0, -1), 1)
		expect(record).toMatchObject({ value: 0, chosenBy: 'fixed', valid: { rejected: 2, total: 4 } })
	})
})
