import { describe, expect, it } from 'vitest'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { logit } from '../../../src/defense/guard/logit.ts'
import { randomImages } from '../../helpers/models.ts'
import { answersOf, answersOfFile, largestBeside, makeNets } from './nets.ts'

/** As numpy's. */
function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b)
	const half = sorted.length >> 1
	return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

describe('logit', () => {
	it.each(['logit', 'margin'] as const)(
		'%s: bounds a label by its own clean images where there are 20, others by one bound for all',
		async (kind) => {
			const { badnet } = await makeNets({ classes: 5, seed: 8 })
			const images = randomImages(badnet, 90, 4)
			const guarded = await guardNet(badnet, await logit(kind, badnet, images), images, { falseRejectionRate: 10 })
			const b = await answersOf(badnet, images)
			const values = b.map(({ logits, label }) =>
				kind === 'logit' ? logits[label]! : logits[label]! - largestBeside(logits, label),
			)
			const of = (label: number) => values.filter((_, i) => b[i]!.label === label)
			const labels = [0, 1, 2, 3, 4]
			const own = labels.filter((label) => of(label).length >= 20)
			expect(own.length).toBeGreaterThan(0)
			expect(labels.some((label) => of(label).length > 0 && of(label).length < 20)).toBe(true)
			expect(guarded.guard.parameters.ownBounds).toEqual(own)
			const { suspicion } = await answersOfFile(guarded, images)
			for (const [i, { label }] of b.entries()) {
				const offset = own.includes(label) ? median(of(label)) - median(values) : 0
				expect(Math.abs(suspicion[i]! - (values[i]! - offset))).toBeLessThan(1e-4)
			}
			expect(guarded.guard.threshold.valid).toEqual({ rejected: 9, total: 90 })
		},
	)

	it('has one bound for all where no label has enough images: its threshold is a logit', async () => {
		const { badnet } = await makeNets()
		const images = randomImages(badnet, 15, 4)
		const { guard } = await guardNet(badnet, await logit('logit', badnet, images), images, { falseRejectionRate: 1 })
		const highest = Math.max(...(await answersOf(badnet, images)).flatMap(({ logits }) => logits))
		expect(guard.parameters).toMatchObject({ ownBounds: [], offsets: [] })
		expect(guard.threshold.value).toBeCloseTo(highest, 4)
	})
})
