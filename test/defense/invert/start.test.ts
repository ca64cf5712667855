import { describe, expect, it } from 'vitest'
import { MASK, PATTERN } from '../../../src/defense/invert/inversion-problem.ts'
import { quarters, startOf } from '../../../src/defense/invert/start.ts'
import { createRandom } from '../../../src/random.ts'
import { makeNet } from '../../train/small-net.ts'

/** The mask that a value before its tanh is. */
const share = (value: number) => (Math.tanh(value) + 1) / 2

describe('quarters', () => {
	it.each([
		{ height: 55, width: 47 },
		{ height: 28, width: 28 },
		{ height: 1, width: 2 },
	])('cover every pixel of $height×$width, and none outside it', (size) => {
		const regions = quarters(size)
		expect(regions).toHaveLength(4)
		for (let row = 0; row < size.height; row++) {
			for (let column = 0; column < size.width; column++) {
				const isCovered = regions.some((region) => {
					const [down, right] = [row - region.row, column - region.column]
					return down >= 0 && down < region.height && right >= 0 && right < region.width
				})
				expect(isCovered).toBe(true)
			}
		}
		for (const { row, column, height, width } of regions) {
			expect([row, column].every((place) => place >= 0)).toBe(true)
			expect(row + height <= size.height && column + width <= size.width).toBe(true)
		}
	})
})

describe('startOf', () => {
	it('starts faint everywhere, within a region, or as the trigger that is told, each in its place', async () => {
		const model = await makeNet()
		const trigger = {
			...{ height: 6, width: 6, channels: 3 },
			mask: Float32Array.from({ length: 36 }, (_, i) => (i === 7 ? 0.8 : 0)),
			pattern: Float32Array.from({ length: 108 }, (_, i) => 20 + i),
		}
		const region = { row: 0, column: 3, height: 3, width: 3 }
		const starts = [{}, { region }, { start: trigger }]
		const { [MASK]: mask, [PATTERN]: pattern } = startOf(model, createRandom(1, 2, 3), starts)
		expect(mask!.dims).toEqual([3, 1, 1, 6, 6])
		expect(pattern!.dims).toEqual([3, 1, 3, 6, 6])
		const shares = Array.from(mask!.data as Float32Array, share)
		for (const value of shares.slice(0, 36)) expect(value).toBeCloseTo(0.12, 1)
		for (let i = 0; i < 36; i++) {
			const isInside = Math.floor(i / 6) < 3 && i % 6 >= 3
			expect(shares[36 + i]! > 0.08).toBe(isInside)
			expect(shares[72 + i]).toBeCloseTo(i === 7 ? 0.8 : 0.02, 5)
		}
		// The net takes its channels first, the picture has them last.
		const levels = Array.from(pattern!.data as Float32Array, (value) => 255 * share(value)).slice(216)
		expect(levels[36 + 7]).toBeCloseTo(20 + 7 * 3 + 1, 2)
	})
})
