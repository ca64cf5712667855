import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DenseAnswers } from '../../src/defense/prune/dense-answers.ts'
import { randomValues } from '../helpers/networks.ts'

/** Sizes of a dense head, and numbers of the entries that are silenced one after another. */
const head = fc.record({
	size: fc.integer({ min: 1, max: 12 }),
	classes: fc.integer({ min: 2, max: 6 }),
	images: fc.integer({ min: 1, max: 4 }),
	seed: fc.nat(),
})

describe('DenseAnswers', () => {
	it('answers what a weighted sum in float64 answers after any changes, or leaves it open', () =>
		fc.assert(
			fc.property(head, ({ size, classes, images, seed }) => {
				const random = randomValues(seed)
				const numbers = (count: number) => Float32Array.from({ length: count }, random)
				const [weights, bias, values, silenced] = [
					numbers(size * classes),
					numbers(classes),
					numbers(images * size),
					numbers(size),
				]
				const answers = new DenseAnswers({ classes, weights, bias }, values, images, silenced)
				const now = values.slice()
				let known = 0
				for (let entry = 0; entry < size; entry++) {
					for (let image = 0; image < images; image++) {
						const at = image * size + entry
						answers.add(image, entry, silenced[entry]! - now[at]!)
						now[at] = silenced[entry]!
						const logits = Array.from(
							{ length: classes },
							(_, c) =>
								bias[c]! +
								weights.reduce(
									(sum, w, i) => (i % classes === c ? sum + w * now[image * size + Math.floor(i / classes)]! : sum),
									0,
								),
						)
						const label = answers.label(image)
						if (label === null) continue
						known++
						expect(label).toBe(logits.indexOf(Math.max(...logits)))
					}
				}
				// Random logits are hardly ever within a few roundings of each other.
				expect(known).toBeGreaterThan(0)
			}),
		))

	it('leaves a tie open, and what float32 could not tell from one', () => {
		const silenced = new Float32Array(2)
		const tied = { classes: 2, weights: Float32Array.of(1, 1, 2, 2), bias: Float32Array.of(0.5, 0.5) }
		expect(new DenseAnswers(tied, Float32Array.of(3, 4), 1, silenced).label(0)).toBeNull()
		const nearly = { ...tied, bias: Float32Array.of(0.5, 0.5 + 2 ** -24) }
		expect(new DenseAnswers(nearly, Float32Array.of(3, 4), 1, silenced).label(0)).toBeNull()
		const apart = { ...tied, bias: Float32Array.of(0.5, 0.6) }
		expect(new DenseAnswers(apart, Float32Array.of(3, 4), 1, silenced).label(0)).toBe(1)
	})
})
