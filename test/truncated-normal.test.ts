import { describe, expect, it } from 'vitest'
import { createRandom } from '../src/random.ts'
import { TRUNCATED_DEVIATION, truncatedNormal } from '../src/truncated-normal.ts'

const DRAWS = 100_000

/** `(Φ(x) − Φ(−2)) / (Φ(2) − Φ(−2))` with Python 3.11's `math.erf`. */
const CDF: readonly (readonly [number, number])[] = [
	[-1.5, 0.0461572],
	[-1, 0.1423836],
	[-0.5, 0.2994107],
	[0, 0.5],
	[0.5, 0.7005893],
	[1, 0.8576164],
	[1.5, 0.9538428],
]

describe('truncatedNormal', () => {
	const random = createRandom(7, 1, 1)
	const draws = Array.from({ length: DRAWS }, () => truncatedNormal(random))

	it('stays within two deviations', () => {
		expect(Math.max(...draws.map(Math.abs))).toBeLessThan(2)
	})

	it('has mean 0 and the stated deviation, within four standard errors', () => {
		const mean = draws.reduce((sum, value) => sum + value, 0) / DRAWS
		const variance = draws.reduce((sum, value) => sum + value * value, 0) / DRAWS
		expect(Math.abs(mean)).toBeLessThan((4 * TRUNCATED_DEVIATION) / Math.sqrt(DRAWS))
		// The fourth moment of this distribution is below 1.5.
		expect(Math.abs(variance - TRUNCATED_DEVIATION ** 2)).toBeLessThan((4 * Math.sqrt(1.5)) / Math.sqrt(DRAWS))
	})

	it.each(CDF)('has the right share below %d, within four standard errors', (limit, share) => {
		const below = draws.filter((value) => value < limit).length
		expect(Math.abs(below - share * DRAWS)).toBeLessThan(4 * Math.sqrt(DRAWS * share * (1 - share)))
	})

	it('gives the same values for the same stream on every machine: stored from one', () => {
		const random = createRandom(2018, 1, 0)
		expect(Array.from({ length: 3 }, () => truncatedNormal(random))).toMatchInlineSnapshot(`
			[
			  0.4575633751228452,
			  -1.287989373318851,
			  1.0742212031036615,
			]
		`)
	})
})
