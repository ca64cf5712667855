import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auroc } from '../../src/metrics/auroc.ts'

/** By auroc-oracle.py: pairs counted with numpy, ends of the interval found with scipy. */
const ORACLE = JSON.parse(readFileSync(new URL('auroc-oracle.json', import.meta.url), 'utf8')) as {
	positives: number[]
	negatives: number[]
	value: number
	low: number
	high: number
}[]

/** Few different values, so that there are ties. */
const scores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 })

describe('auroc', () => {
	it.each(ORACLE)('gives what counting pairs in numpy gives, $value, with scipy’s interval', (oracle) => {
		const area = auroc(oracle.positives, oracle.negatives)!
		expect(area.value).toBeCloseTo(oracle.value, 12)
		expect(area.low).toBeCloseTo(oracle.low, 7)
		expect(area.high).toBeCloseTo(oracle.high, 7)
	})

	it('is 1 where every positive scores higher, and bounded from below, since few images prove little', () => {
		const few = auroc([5, 6, 7], [1, 2, 3])!
		const many = auroc(Array(300).fill(5), Array(300).fill(1))!
		expect(few).toMatchObject({ value: 1, high: 1 })
		expect(few.low).toBeLessThan(0.7)
		expect(many.low).toBeGreaterThan(0.99)
	})

	it('is a half where no score tells anything', () => {
		expect(auroc([1, 1, 1], [1, 1])!.value).toBe(0.5)
	})

	it('turns around when the groups change places, with its interval', () => {
		fc.assert(
			fc.property(scores, scores, (positives, negatives) => {
				const [one, other] = [auroc(positives, negatives)!, auroc(negatives, positives)!]
				expect(one.value + other.value).toBeCloseTo(1, 12)
				expect(one.low).toBeLessThanOrEqual(one.value)
				expect(one.high).toBeGreaterThanOrEqual(one.value)
			}),
		)
	})

	it('asks for the order of scores alone: any rising transform leaves it as it is', () => {
		fc.assert(
			fc.property(scores, scores, (positives, negatives) => {
				const rise = (score: number) => Math.atan(score) * 100 - 3
				expect(auroc(positives.map(rise), negatives.map(rise))).toEqual(auroc(positives, negatives))
			}),
		)
	})

	it('takes infinite scores for what they are', () => {
		expect(auroc([Number.POSITIVE_INFINITY, 1], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])!.value).toBe(
			(0.5 + 1 + 0 + 1) / 4,
		)
	})

	it('is null for an empty group, and refuses NaN, which has no rank', () => {
		expect(auroc([], [1])).toBeNull()
		expect(auroc([1], [])).toBeNull()
		expect(() => auroc([Number.NaN], [1])).toThrow(expect.objectContaining({ code: 'not-finite' }))
	})
})
