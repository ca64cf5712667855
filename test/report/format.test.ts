import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDrop, formatOf, formatPoints, formatRate, formatShare } from '../../src/report/format.ts'

describe('formatRate', () => {
	it.each([
		[12_304, 12_830, '95.90 % [95.54–96.23]'],
		[0, 12_830, '≤ 0.03 %'],
		[0, 598, '≤ 0.50 %'],
		[12_830, 12_830, '100 % [≥ 99.97]'],
		[12_828, 12_830, '99.98 % [99.94–100]'],
		[0, 0, 'no images'],
	])('%d of %d reads %s', (hits, total, expected) => {
		expect(formatRate(hits, total)).toBe(expected)
	})

	it('never rounds up to all nor down to none', () => {
		expect(formatRate(999_999, 1_000_000)).toMatch(/^99\.99 % /)
		expect(formatRate(1, 1_000_000)).toMatch(/^0\.01 % /)
	})

	it('rounds one-sided bounds outwards, so that they stay true', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 100_000 }), (total) => {
				const upper = Number(/≤ ([\d.]+) %/.exec(formatRate(0, total))?.[1]) / 100
				expect((1 - upper) ** total).toBeLessThanOrEqual(0.05 + 1e-9)
			}),
		)
	})
})

describe('formatShare', () => {
	it('tells all and none from almost all and almost none', () => {
		expect([0, 1, 99_999, 100_000].map((hits) => formatShare(hits, 100_000))).toEqual([
			'0 %',
			'0.01 %',
			'99.99 %',
			'100 %',
		])
		expect(formatShare(0, 0)).toBe('no images')
	})
})

describe('formatDrop', () => {
	it.each([
		[2, '2'],
		[2.0, '2'],
		[2.5, '2.5'],
		[0.1, '0.1'],
		[30, '30'],
	])('%d prints as %s', (drop, expected) => {
		expect(formatDrop(drop)).toBe(expected)
	})

	it('has its unit in singular and plural', () => {
		expect([formatPoints(1), formatPoints(2.5)]).toEqual(['1 point', '2.5 points'])
	})
})

describe('formatOf', () => {
	it('groups thousands', () => {
		expect(formatOf(12_304, 12_830)).toBe('12,304 of 12,830')
	})
})
