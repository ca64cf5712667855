import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleBilinear, upsampleBicubic } from '../../src/attack/warp.ts'
import { noise, sizes } from './helpers.ts'
import { imageOf, oracle } from './oracle.ts'

describe('upsampleBicubic', () => {
	it('gives the values of F.interpolate(mode="bicubic", align_corners=True)', () => {
		for (const { k, control, upsampled } of oracle.wanet) {
			const [, height = 0, width = 0] = upsampled.dims
			const mean = control.values.reduce((sum, value) => sum + Math.abs(value), 0) / control.values.length
			for (const plane of [0, 1]) {
				const values = Float64Array.from(control.values.slice(plane * k * k, (plane + 1) * k * k), (v) => v / mean)
				const result = upsampleBicubic(values, k, height, width)
				const expected = upsampled.values.slice(plane * height * width)
				// The stored values are rounded to nine digits.
				for (const [i, value] of result.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-9)
			}
		}
	})
})

describe('sampleBilinear', () => {
	it('gives the values of F.grid_sample(align_corners=True), rounded to levels', () => {
		for (const { image, grid, warped } of oracle.wanet) {
			const { pixels, size } = imageOf(image)
			const result = sampleBilinear(pixels, size, Float64Array.from(grid.values))
			// Half a level of rounding, and the grid's own nine digits.
			for (const [i, value] of result.entries()) expect(Math.abs(value - warped.values[i]!)).toBeLessThan(0.5001)
		}
	})

	it('gives the image itself on the straight grid', () => {
		const straight = fc.property(sizes, (size) => {
			const { height, width } = size
			const { pixels } = noise(size, 1)
			const grid = Float64Array.from({ length: height * width * 2 }, (_, i) => {
				const column = (i >> 1) % width
				const row = ((i >> 1) - column) / width
				return i % 2 === 0 ? (2 * column) / (width - 1) - 1 : (2 * row) / (height - 1) - 1
			})
			expect(sampleBilinear(pixels, size, grid)).toEqual(pixels)
		})
		fc.assert(straight, { numRuns: 20 })
	})

	it('takes what lies beyond the image as its edge', () => {
		const size = { height: 1, width: 2, channels: 1 }
		expect([...sampleBilinear(Uint8Array.of(10, 200), size, Float64Array.of(-3, -9, 7, 9))]).toEqual([10, 200])
	})
})
