import { describe, expect, it } from 'vitest'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { quorum } from '../../../src/defense/guard/quorum.ts'
import { answersOf, answersOfFile, makeNets } from './nets.ts'

describe('quorum', () => {
	it('scores how many repaired nets answer otherwise than B, and rejects above its threshold', async () => {
		const { badnet, repaired, images } = await makeNets()
		const guarded = await guardNet(badnet, quorum(repaired), images, { falseRejectionRate: 30 })
		const b = await answersOf(badnet, images)
		const others = await Promise.all(repaired.map((net) => answersOf(net, images)))
		const counts = b.map(({ label }, i) => others.filter((answers) => answers[i]!.label !== label).length)
		expect(new Set(counts).size).toBeGreaterThan(2)
		const { labels, suspicion } = await answersOfFile(guarded, images)
		expect([...suspicion]).toEqual(counts)
		const { value } = guarded.guard.threshold
		expect([...labels]).toEqual(b.map(({ label }, i) => (counts[i]! > value ? badnet.classes : label)))
	})

	it('says that it rejects nothing where even all of them disagree too often on clean images', async () => {
		const { badnet, repaired, images } = await makeNets()
		const stubborn = [repaired[2]!, repaired[2]!]
		const { guard } = await guardNet(badnet, quorum(stubborn), images, { falseRejectionRate: 1 })
		expect(guard.threshold).toMatchObject({ value: 2, rejectsNothing: true, valid: { rejected: 0, total: 60 } })
	})

	it('of a given number rejects where at least so many disagree, whatever that costs', async () => {
		const { badnet, repaired, images } = await makeNets()
		const { guard, ...guarded } = await guardNet(badnet, quorum(repaired, 2), images, { falseRejectionRate: 1 })
		const { labels, suspicion } = await answersOfFile(guarded, images)
		expect(guard.threshold).toMatchObject({ value: 1, chosenBy: 'fixed' })
		expect(labels.map((label) => (label === 4 ? 1 : 0))).toEqual(
			Int32Array.from(suspicion, (score) => (score >= 2 ? 1 : 0)),
		)
		for (const bad of [0, 4, 1.5]) {
			expect(() => quorum(repaired, bad)).toThrow(expect.objectContaining({ code: 'bad-quorum' }))
		}
	})

	it('is not taken of one net', async () => {
		const { repaired } = await makeNets()
		expect(() => quorum(repaired.slice(0, 1))).toThrow(
			expect.objectContaining({
				code: 'too-few-nets',
				message: expect.stringMatching(/two repaired nets or more, found 1/),
			}),
		)
	})
})
