import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawVaried, stampVaried } from '../../../../src/defense/repair/distill/varied-pictures.ts'
import { createRandom } from '../../../../src/random.ts'
import { SIZE, stripes } from '../../../helpers/pictures.ts'

const images = { ...SIZE, ...stripes(3, 1) }
const AREA = SIZE.height * SIZE.width

function drawn(seed: number): Float32Array {
	const target = new Float32Array(AREA)
	drawVaried(images, createRandom(seed, 1, 2), target)
	return target
}
function trigger(share: number, level: number) {
	return { ...SIZE, mask: new Float32Array(AREA).fill(share), pattern: new Float32Array(AREA).fill(level) }
}

describe('drawVaried', () => {
	it('gives pixels of 0 to 255, the same for the same seed, another picture for another', () => {
		fc.assert(
			fc.property(fc.nat(1000), (seed) => {
				const picture = drawn(seed)
				expect(picture.every((value) => value >= 0 && value <= 255)).toBe(true)
				expect(drawn(seed)).toEqual(picture)
				expect(drawn(seed + 1)).not.toEqual(picture)
			}),
			{ numRuns: 50 },
		)
	})

	it('keeps a plain picture plain, whatever is mixed, moved and lit', () => {
		const plain = { ...SIZE, count: 2, pixels: new Uint8Array(2 * AREA).fill(100) }
		for (let seed = 0; seed < 20; seed++) {
			const target = new Float32Array(AREA)
			drawVaried(plain, createRandom(seed, 1, 2), target)
			const [first] = target
			expect(first).toBeGreaterThanOrEqual(0.8 * 100 - 20)
			expect(first).toBeLessThanOrEqual(1.2 * 100 + 20)
			for (const value of target) expect(value).toBeCloseTo(first!, 3)
		}
	})
})

describe('stampVaried', () => {
	it('leaves a picture as it is where the mask is 0', () => {
		const picture = drawn(1)
		const stamped = picture.slice()
		stampVaried(stamped, trigger(0, 200), createRandom(1, 1, 1))
		expect(stamped).toEqual(picture)
	})

	it('shows the pattern, a little darker or lighter, where the mask is full, but for what moves out at an edge', () => {
		for (let seed = 0; seed < 20; seed++) {
			const stamped = new Float32Array(AREA)
			stampVaried(stamped, trigger(1, 200), createRandom(seed, 1, 1))
			for (let row = 1; row < SIZE.height - 1; row++) {
				for (let column = 1; column < SIZE.width - 1; column++) {
					const value = stamped[row * SIZE.width + column]!
					expect(value).toBeGreaterThan(0.7 * 0.85 * 200)
					expect(value).toBeLessThanOrEqual(1.15 * 200)
				}
			}
		}
	})

	it('moves a trigger by a pixel at most', () => {
		for (let seed = 0; seed < 30; seed++) {
			const mask = new Float32Array(AREA)
			mask[5 * SIZE.width + 5] = 1
			const stamped = new Float32Array(AREA)
			stampVaried(stamped, { ...trigger(1, 200), mask }, createRandom(seed, 1, 1))
			const places = [...stamped.keys()].filter((i) => stamped[i]! > 0)
			expect(places).toHaveLength(1)
			expect(Math.abs(Math.floor(places[0]! / SIZE.width) - 5)).toBeLessThanOrEqual(1)
			expect(Math.abs((places[0]! % SIZE.width) - 5)).toBeLessThanOrEqual(1)
		}
	})
})
