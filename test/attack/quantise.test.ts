import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ditherFloydSteinberg, quantise } from '../../src/attack/quantise.ts'
import { noise, sizes } from './helpers.ts'
import { imageOf, oracle } from './oracle.ts'

describe('quantise', () => {
	it('gives what numpy gives', () => {
		for (const { bits, image, plain } of oracle.squeezed) {
			expect([...quantise(imageOf(image).pixels, bits)]).toEqual(plain.values)
		}
	})
})

describe('ditherFloydSteinberg', () => {
	it('gives what the published algorithm gives in numpy, channel by channel', () => {
		for (const { bits, image, dithered } of oracle.squeezed) {
			const { pixels, size } = imageOf(image)
			expect([...ditherFloydSteinberg(pixels, size, bits)]).toEqual(dithered.values)
		}
	})

	it('leaves no other levels than the palette has', () => {
		const palette = fc.property(sizes, fc.integer({ min: 1, max: 7 }), (size, bits) => {
			const levels = new Set(ditherFloydSteinberg(noise(size, 1).pixels, size, bits))
			expect([...levels].every((level) => quantise(Uint8Array.of(level), bits)[0] === level)).toBe(true)
		})
		fc.assert(palette, { numRuns: 30 })
	})

	it('keeps the mean of an even area, which plain rounding does not', () => {
		const size = { height: 40, width: 40, channels: 1 }
		const grey = new Uint8Array(1600).fill(100)
		const mean = (pixels: Uint8Array) => pixels.reduce((sum, level) => sum + level, 0) / pixels.length
		expect(mean(quantise(grey, 1))).toBe(0)
		// Some of the error falls off the edges.
		expect(Math.abs(mean(ditherFloydSteinberg(grey, size, 1)) - 100)).toBeLessThan(5)
	})
})
