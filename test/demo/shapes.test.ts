import { describe, expect, it } from 'vitest'
import { ellipse, implicit, intersection, moved, stroke, wave } from '../../src/demo/shapes.ts'

describe('shapes', () => {
	it('covers the inside of an ellipse fully, its edge by half and the outside not at all', () => {
		const shape = ellipse(2, 1, 6, 3)
		expect(shape.cover(2, 1, 1)).toBe(1)
		expect(shape.cover(8, 1, 1)).toBe(0.5)
		expect(shape.cover(2, 4, 1)).toBe(0.5)
		expect(shape.cover(9, 1, 1)).toBe(0)
	})

	it('covers about as many pixels as the area says, which anti-aliasing is for', () => {
		const shape = ellipse(0.3, -0.2, 9, 5)
		let area = 0
		for (let y = -20; y <= 20; y++) for (let x = -20; x <= 20; x++) area += shape.cover(x, y, 1)
		expect(area).toBeCloseTo(Math.PI * 9 * 5, 0)
	})

	it('draws the same ellipse from its field as by formula', () => {
		const field = (x: number, y: number) => (x / 9) * (x / 9) + (y / 5) * (y / 5) - 1
		const implied = implicit(field, { left: -9, right: 9, top: -5, bottom: 5 })
		const exact = ellipse(0, 0, 9, 5)
		for (let x = -12; x <= 12; x += 0.7) expect(implied.cover(x, 0.4 * x, 1)).toBeCloseTo(exact.cover(x, 0.4 * x, 1), 1)
	})

	it('keeps of two shapes what lies in both', () => {
		const both = intersection(ellipse(-2, 0, 4, 4), ellipse(2, 0, 4, 4))
		expect(both.cover(0, 0, 1)).toBe(1)
		expect(both.cover(-4, 0, 1)).toBe(0)
		expect(both.box).toEqual({ left: -2, right: 2, top: -4, bottom: 4 })
	})

	it('moves a shape and its box together', () => {
		const shape = moved(ellipse(0, 0, 4, 4), 10)
		expect(shape.cover(10, 0, 1)).toBe(1)
		expect(shape.cover(0, 0, 1)).toBe(0)
		expect(shape.box.left).toBe(6)
	})

	it('bends a stroke upwards by its arch', () => {
		const brow = stroke(0, 0, { length: 5, thickness: 1, arch: 3 })
		expect(brow.cover(0, -3, 1)).toBe(1)
		expect(brow.cover(0, 0, 1)).toBe(0)
	})

	it('swings between −1 and 1 once per unit', () => {
		expect([0, 0.25, 0.5, 0.75, 1, -0.5].map(wave)).toEqual([1, 0, -1, 0, 1, -1])
	})
})
