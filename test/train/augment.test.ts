import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/random.ts'
import { augment } from '../../src/train/augment.ts'

const size = { height: 4, width: 5, channels: 2 }
const image = Uint8Array.from({ length: 40 }, (_, i) => i + 1)
const augmented = (options: Partial<Parameters<typeof augment>[3]>, seed: number) => {
	const target = new Uint8Array(40).fill(200)
	augment(image, target, size, { crop: 0, flip: false, cutout: 0, ...options }, createRandom(seed, 0, 0))
	return target
}
const seed = fc.integer({ min: 0, max: 1000 })

describe('augment', () => {
	it('does nothing where nothing is asked for', () => {
		expect(augmented({}, 1)).toEqual(image)
	})

	it('flips half of the images, and a flipped one twice is the image', () => {
		const results = Array.from({ length: 200 }, (_, i) => augmented({ flip: true }, i))
		const flipped = results.filter((each) => each[0] !== 1)
		expect(flipped.length).toBeGreaterThan(70)
		expect(flipped.length).toBeLessThan(130)
		for (const each of flipped) {
			for (let i = 0; i < 40; i++) {
				const [row, column, c] = [Math.floor(i / 10), Math.floor(i / 2) % 5, i % 2]
				expect(each[i]).toBe(image[row * 10 + (4 - column) * 2 + c])
			}
		}
	})

	it('crops: every pixel is the image shifted by one vector of at most `crop` pixels, black outside', () => {
		fc.assert(
			fc.property(seed, fc.integer({ min: 1, max: 3 }), (each, crop) => {
				const result = augmented({ crop }, each)
				const shifts = range(-crop, crop).flatMap((y) => range(-crop, crop).map((x) => [y, x] as const))
				expect(shifts.some(([y, x]) => result.every((value, i) => value === shifted(i, y, x)))).toBe(true)
			}),
		)
	})

	it('cuts out a square of at most the side asked for, and leaves the rest', () => {
		fc.assert(
			fc.property(seed, fc.integer({ min: 1, max: 4 }), (each, cutout) => {
				const result = augmented({ cutout }, each)
				const black = [...result].flatMap((value, i) => (value === 0 ? [i] : []))
				const rows = new Set(black.map((i) => Math.floor(i / 10)))
				const columns = new Set(black.map((i) => Math.floor(i / 2) % 5))
				expect(black.length).toBe(rows.size * columns.size * 2)
				expect(Math.max(rows.size, columns.size)).toBeLessThanOrEqual(cutout)
				expect(black.length).toBeGreaterThan(0)
				for (const [i, value] of result.entries()) expect(value === 0 || value === image[i]).toBe(true)
			}),
		)
	})
})

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function shifted(i: number, y: number, x: number): number {
	const [row, column, c] = [Math.floor(i / 10) + y, (Math.floor(i / 2) % 5) + x, i % 2]
	return row >= 0 && row < 4 && column >= 0 && column < 5 ? image[row * 10 + column * 2 + c]! : 0
}
