import { describe, expect, it } from 'vitest'
import { createRandom } from '../src/random.ts'

describe('createRandom', () => {
	it('gives the same values for the same name on every machine: stored from one', () => {
		const random = createRandom(2018, 2, 7)
		expect(Array.from({ length: 4 }, () => random.below(1_000_000))).toEqual([620_176, 182_878, 440_961, 124_707])
	})

	it('tells neighbouring names apart, since pictures are numbered one after the other', () => {
		const first = (a: number, b: number, c: number) => createRandom(a, b, c).unit()
		const values = [first(1, 1, 1), first(2, 1, 1), first(1, 2, 1), first(1, 1, 2), first(1, 2, 2)]
		expect(new Set(values).size).toBe(values.length)
	})

	it('is uniform enough: mean and tenths of 100,000 draws lie within four standard errors', () => {
		const random = createRandom(1, 2, 3)
		const draws = Array.from({ length: 100_000 }, () => random.unit())
		const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length
		expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / draws.length))
		for (let tenth = 0; tenth < 10; tenth++) {
			const hits = draws.filter((value) => Math.floor(value * 10) === tenth).length
			expect(Math.abs(hits - 10_000)).toBeLessThan(4 * Math.sqrt(9_000))
		}
	})
})
