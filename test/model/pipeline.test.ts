import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapAhead } from '../../src/model/pipeline.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('mapAhead', () => {
	it('yields the results in the order of the items, whatever order they end in, and never has more under way than lanes', () =>
		fc.assert(
			fc.asyncProperty(
				fc.array(fc.nat({ max: 4 }), { maxLength: 20 }),
				fc.integer({ min: 1, max: 5 }),
				async (waits, lanes) => {
					let underWay = 0
					let most = 0
					const work = async (wait: number) => {
						most = Math.max(most, ++underWay)
						for (let i = 0; i < wait; i++) await turn()
						underWay--
						return wait
					}
					const results: number[] = []
					for await (const result of mapAhead(waits, lanes, work)) results.push(result)
					expect(results).toEqual(waits)
					expect(most).toBeLessThanOrEqual(lanes)
					if (waits.every((wait) => wait === 4)) expect(most).toBe(Math.min(lanes, waits.length))
				},
			),
			{ numRuns: 30 },
		))

	it('waits for what is under way before it passes on a failure', async () => {
		let ended = 0
		const work = async (item: number) => {
			await turn()
			if (item === 0) throw new Error('item 0')
			await turn()
			ended++
		}
		const drain = async () => {
			for await (const _ of mapAhead([0, 1, 2], 3, work));
		}
		await expect(drain()).rejects.toThrow('item 0')
		expect(ended).toBe(2)
	})

	it('asks for no more items than it has lanes when its reader stops', async () => {
		let asked = 0
		function* items() {
			for (;;) yield asked++
		}
		for await (const _ of mapAhead(items(), 2, async () => {})) break
		expect(asked).toBe(2)
	})
})
