import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resizeBilinear } from '../../src/data/resize.ts'

describe('resizeBilinear', () => {
	it('agrees with Pillow 9.4 BILINEAR to one grey level, enlarging and shrinking', () => {
		// PIL.Image.fromarray((numpy.arange(35) * 37 % 256).astype('u1').reshape(5, 7)).resize((W, H), Image.BILINEAR)
		const pixels = Uint8Array.from({ length: 35 }, (_, i) => (i * 37) % 256)
		for (const { height, width, expected } of PILLOW) {
			const resized = resizeBilinear(pixels, { height: 5, width: 7 }, { height, width }, 1)
			for (const [i, value] of resized.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1)
		}
	})

	it('leaves an image of the wanted size as it is, and a constant image constant', () => {
		const side = fc.integer({ min: 1, max: 9 })
		fc.assert(
			fc.property(side, side, side, side, fc.nat(255), (height, width, newHeight, newWidth, grey) => {
				const constant = new Uint8Array(height * width * 3).fill(grey)
				const to = { height: newHeight, width: newWidth }
				expect(new Set(resizeBilinear(constant, { height, width }, to, 3))).toEqual(new Set([grey]))
				const ramp = Float32Array.from({ length: height * width }, (_, i) => i)
				expect(resizeBilinear(ramp, { height, width }, { height, width }, 1)).toEqual(ramp)
			}),
		)
	})
})

const PILLOW = [
	{ height: 2, width: 3, expected: [35, 114, 193, 41, 120, 199] },
	{
		height: 8,
		width: 11,
		expected: [
			0, 17, 40, 64, 87, 111, 135, 158, 182, 205, 222, 1, 18, 41, 65, 88, 112, 136, 159, 183, 206, 223, 3, 20, 43, 67,
			90, 114, 138, 161, 185, 208, 225, 5, 22, 45, 69, 92, 116, 140, 163, 187, 210, 227, 7, 24, 47, 71, 94, 118, 142,
			165, 189, 212, 229, 9, 26, 49, 73, 96, 120, 144, 167, 191, 214, 231, 11, 28, 51, 75, 98, 122, 146, 169, 193, 216,
			233, 12, 29, 52, 76, 99, 123, 147, 170, 194, 217, 234,
		],
	},
	{
		height: 3,
		width: 9,
		expected: [
			1, 26, 54, 83, 112, 141, 170, 198, 223, 6, 31, 59, 88, 117, 146, 175, 203, 228, 11, 36, 64, 93, 122, 151, 180,
			208, 233,
		],
	},
]
