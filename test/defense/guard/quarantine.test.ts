import { describe, expect, it } from 'vitest'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { quarantine } from '../../../src/defense/guard/quarantine.ts'
import { answersOf, answersOfFile, makeNets } from './nets.ts'

describe('quarantine', () => {
	it('rejects what B answers with a listed label, and nothing else, whatever that costs', async () => {
		const { badnet, images } = await makeNets()
		const guarded = await guardNet(badnet, quarantine(badnet, [0, 2, 0]), images, { falseRejectionRate: 1 })
		const b = await answersOf(badnet, images)
		const isSuspect = b.map(({ label }) => label === 0 || label === 2)
		const { labels, suspicion } = await answersOfFile(guarded, images)
		expect([...suspicion]).toEqual(isSuspect.map(Number))
		expect([...labels]).toEqual(b.map(({ label }, i) => (isSuspect[i] ? badnet.classes : label)))
		expect(guarded.guard).toMatchObject({
			parameters: { labels: [0, 2] },
			threshold: { chosenBy: 'fixed', value: 0, valid: { rejected: isSuspect.filter(Boolean).length } },
		})
	})

	it.each([
		[[4], 'label-out-of-range', /labels 0..3 .* found 4/],
		[[-1], 'label-out-of-range', /found -1/],
		[[0.5], 'label-out-of-range', /found 0.5/],
		[[], 'no-labels', /found none/],
	])('refuses %j', async (labels, code, message) => {
		const { badnet } = await makeNets()
		expect(() => quarantine(badnet, labels)).toThrow(
			expect.objectContaining({ code, message: expect.stringMatching(message) }),
		)
	})
})
