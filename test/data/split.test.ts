import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LabelledImages } from '../../src/data/labelled.ts'
import { splitImages } from '../../src/data/split.ts'

const SIZE = { height: 1, width: 2, channels: 1 }

/** Images that carry their own number, so that each is known again wherever it goes. */
function numbered(labels: readonly number[]): LabelledImages {
	const pixels = Uint8Array.from(labels.flatMap((_, i) => [i >> 8, i & 255]))
	return { pixels, labels: Int32Array.from(labels), count: labels.length }
}

function numbersOf({ pixels, count }: LabelledImages): number[] {
	return Array.from({ length: count }, (_, i) => pixels[2 * i]! * 256 + pixels[2 * i + 1]!)
}

const labelled = fc.array(fc.nat(12), { minLength: 10, maxLength: 300 })
const shares = fc.constantFrom(0.1, 0.2, 0.5, 0.75)
const seeds = fc.nat(1000)

describe('splitImages', () => {
	it('puts every image, with its label, into one part, in the order of the set', () => {
		fc.assert(
			fc.property(labelled, shares, seeds, (labels, share, seed) => {
				const { kept, split } = splitImages(numbered(labels), SIZE, share, seed)
				for (const part of [kept, split]) {
					const numbers = numbersOf(part)
					expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
					expect([...part.labels]).toEqual(numbers.map((i) => labels[i]))
				}
				expect([...numbersOf(kept), ...numbersOf(split)].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i))
			}),
		)
	})

	it('takes the share of the whole and of every class, to within one image', () => {
		fc.assert(
			fc.property(labelled, shares, seeds, (labels, share, seed) => {
				const { split } = splitImages(numbered(labels), SIZE, share, seed)
				expect(Math.abs(split.count - labels.length * share)).toBeLessThanOrEqual(1)
				for (const label of new Set(labels)) {
					const of = (list: Iterable<number>) => [...list].filter((each) => each === label).length
					expect(Math.abs(of(split.labels) - of(labels) * share)).toBeLessThan(1 + 1e-9)
				}
			}),
		)
	})

	it('divides classes of one image each, as the 52 faces of 52 people are', () => {
		const { kept, split } = splitImages(numbered(Array.from({ length: 52 }, (_, i) => 20 * i)), SIZE, 0.5, 0)
		expect([kept.count, split.count]).toEqual([26, 26])
	})

	it('chooses the same images for the same seed, and others for another', () => {
		const images = numbered(Array.from({ length: 200 }, (_, i) => i % 4))
		const choose = (seed: number) => numbersOf(splitImages(images, SIZE, 0.2, seed).split)
		expect(choose(3)).toEqual(choose(3))
		expect(choose(3)).not.toEqual(choose(4))
	})

	it('refuses a set that is too small to be divided', () => {
		expect(() => splitImages(numbered([1]), SIZE, 0.2, 0)).toThrow(
			expect.objectContaining({
				code: 'too-few-images',
				exitCode: 3,
				message: 'expected enough images to divide, found 1: name two sets instead of one',
			}),
		)
	})
})
