import { describe, expect, it } from 'vitest'
import { RisingRate } from '../../../../src/defense/repair/distill/rising-rate.ts'

function rateAfter(shares: readonly number[]): RisingRate {
	const rate = new RisingRate()
	for (const share of shares) rate.observe(share)
	return rate
}

describe('RisingRate', () => {
	it('rises while triggered pictures get the label, to a limit', () => {
		expect(rateAfter([1]).rate).toBeGreaterThan(rateAfter([]).rate)
		expect(rateAfter(Array(30).fill(1)).rate).toBeGreaterThan(rateAfter(Array(10).fill(1)).rate)
		expect(rateAfter(Array(1000).fill(1)).rate).toBe(4e-3)
		expect(rateAfter(Array(1000).fill(1)).isDone).toBe(false)
	})

	it('falls once they do not, remembers its top, and then is done', () => {
		const rate = rateAfter([...Array(20).fill(1), ...Array(40).fill(0)])
		expect(rate.rate).toBeLessThan(rate.top)
		expect(rate.top).toBeGreaterThan(4e-4)
		expect(rate.isDone).toBe(true)
	})

	it('does not take one good step for success', () => {
		expect(rateAfter([1, 1, 0]).isDone).toBe(false)
		expect(rateAfter([1, 1, 0]).rate).toBeGreaterThan(rateAfter([1, 1]).rate)
	})
})
