import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GoodNet } from '../../../src/defense/goodnet.ts'
import { disagreement, plainGoodNet } from '../../../src/defense/guard/disagreement.ts'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { cnnShape } from '../../helpers/arbitraries.ts'
import { answersOf, answersOfFile, largestBeside, makeNets } from './nets.ts'

describe('disagreement', () => {
	it('scores how far B′ puts another label above B’s, by logits that each net gives alone', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, async (shape) => {
				const {
					badnet,
					repaired: [twin],
					images,
				} = await makeNets({ ...shape, channels: 5 })
				const guarded = await guardNet(badnet, disagreement(twin!), images, { falseRejectionRate: 20 })
				const [b, own, { suspicion }] = [
					await answersOf(badnet, images),
					await answersOf(twin!, images),
					await answersOfFile(guarded, images),
				]
				for (const [i, { label }] of b.entries()) {
					const { logits } = own[i]!
					const expected = largestBeside(logits, label) - logits[label]!
					expect(Math.abs(suspicion[i]! - expected)).toBeLessThan(1e-4)
					if (Math.abs(expected) > 1e-4) expect(suspicion[i]! > 0).toBe(label !== own[i]!.label)
				}
			}),
			{ numRuns: 20 },
		)
	})

	it('with a chosen threshold keeps to the false rejection rate where the plain GoodNet does not', async () => {
		const { badnet, repaired, images } = await makeNets()
		const [chosen, plain] = [disagreement(repaired[2]!), plainGoodNet(repaired[2]!)]
		const limited = await guardNet(badnet, chosen, images, { falseRejectionRate: 5 })
		const unlimited = await guardNet(badnet, plain, images, { falseRejectionRate: 5 })
		expect(limited.guard.threshold).toMatchObject({
			chosenBy: 'false-rejection-rate',
			valid: { rejected: 3, total: 60 },
		})
		expect(unlimited.guard.threshold).toMatchObject({ value: 0, chosenBy: 'fixed' })
		expect(unlimited.guard.threshold.valid.rejected).toBeGreaterThan(3)
	})
})

describe('plainGoodNet', () => {
	it('answers every image as GoodNet.of does', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, fc.nat(2), async (shape, which) => {
				const { badnet, repaired, images } = await makeNets({ ...shape, channels: 5 })
				const guarded = await guardNet(badnet, plainGoodNet(repaired[which]!), images)
				const expected = await GoodNet.of(badnet, repaired[which]!).predict(images)
				expect((await answersOfFile(guarded, images)).labels).toEqual(expected)
			}),
			{ numRuns: 20 },
		)
	})
})
