import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdOut } from '../../src/data/held-out.ts'
import type { LabelledImages } from '../../src/data/labelled.ts'

const SIZE = { height: 1, width: 2, channels: 1 }

/** Images that carry their own number, so that each is known again wherever it goes. */
function numbered(labels: readonly number[]): LabelledImages {
	const pixels = Uint8Array.from(labels.flatMap((_, i) => [i >> 8, i & 255]))
	return { pixels, labels: Int32Array.from(labels), count: labels.length }
}

function numbersOf({ pixels, count }: LabelledImages): number[] {
	return Array.from({ length: count }, (_, i) => pixels[2 * i]! * 256 + pixels[2 * i + 1]!)
}

/** Sets in which every class has enough images for every share below. */
const sets = fc
	.array(fc.integer({ min: 10, max: 40 }), { minLength: 1, maxLength: 6 })
	.chain((perClass) =>
		fc
			.constant(perClass.flatMap((count, label) => Array.from({ length: count }, () => label)))
			.chain((labels) => fc.shuffledSubarray(labels, { minLength: labels.length, maxLength: labels.length })),
	)
const shares = fc.constantFrom(0.06, 0.1, 0.25, 0.5, 0.9)
const seeds = fc.nat(1000)

describe('holdOut', () => {
	it('puts every image, with its label, on one side only, and keeps the order on both', () => {
		fc.assert(
			fc.property(sets, shares, seeds, (labels, share, seed) => {
				const { train, test } = holdOut(numbered(labels), SIZE, share, seed)
				const both = [numbersOf(train), numbersOf(test)]
				for (const numbers of both) expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
				expect(both.flat().sort((a, b) => a - b)).toEqual(labels.map((_, i) => i))
				for (const side of [train, test]) {
					expect([...side.labels]).toEqual(numbersOf(side).map((i) => labels[i]))
				}
			}),
		)
	})

	it('takes the share of each class, rounded, so that no class is tested more than another', () => {
		fc.assert(
			fc.property(sets, shares, seeds, (labels, share, seed) => {
				const { test } = holdOut(numbered(labels), SIZE, share, seed)
				for (const label of new Set(labels)) {
					const of = (list: Iterable<number>) => [...list].filter((each) => each === label).length
					expect(of(test.labels)).toBe(Math.round(of(labels) * share))
				}
			}),
		)
	})

	it('leaves the set as it was, chooses the same images for the same seed, and others for another', () => {
		const images = numbered(Array.from({ length: 400 }, (_, i) => i % 4))
		const before = { pixels: images.pixels.slice(), labels: images.labels.slice() }
		const choose = (seed: number) => numbersOf(holdOut(images, SIZE, 0.25, seed).test)
		expect(choose(3)).toEqual(choose(3))
		expect(choose(3)).not.toEqual(choose(4))
		expect(images).toMatchObject(before)
	})

	it('refuses a share that leaves a class on one side only, and names the class and the way out', () => {
		const images = numbered([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7])
		const error = { code: 'too-few-images', exitCode: 3 }
		expect(() => holdOut(images, SIZE, 0.1, 0)).toThrow(
			expect.objectContaining({
				...error,
				message:
					'holding out 10 % leaves class 7 (2 images) on one side only; name a test set with --test, or take another --holdout',
			}),
		)
		expect(() => holdOut(images, SIZE, 0.97, 0)).toThrow(expect.objectContaining(error))
	})
})
