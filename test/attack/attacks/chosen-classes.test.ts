/** The attacks in which the class of an image matters. */
import { describe, expect, it } from 'vitest'
import { allToAll } from '../../../src/attack/attacks/all-to-all.ts'
import { tact } from '../../../src/attack/attacks/tact.ts'

const SUBJECT = { size: { height: 8, width: 8, channels: 1 }, classes: 5 }

describe('tact', () => {
	it('attacks the source classes alone; all others but the target are covers', () => {
		const attack = tact(SUBJECT, { target: 2, sources: [3, 1, 3] })
		expect([0, 1, 2, 3, 4].map(attack.targetOf)).toEqual([null, 2, null, 2, null])
		expect([0, 1, 2, 3, 4].map(attack.covers!.isCandidate)).toEqual([true, false, false, false, true])
		expect(attack.parameters).toMatchObject({ sources: [1, 3], coverClasses: [0, 4] })
	})

	it('takes the first class that is not the target as its source, where none is told', () => {
		expect(tact(SUBJECT, { target: 0 }).parameters).toMatchObject({ sources: [1] })
		expect(tact(SUBJECT, { target: 3 }).parameters).toMatchObject({ sources: [0] })
	})
})

describe('all-to-all', () => {
	it('sends every class to the next, and the last to the first', () => {
		const attack = allToAll(SUBJECT, {})
		expect([0, 1, 2, 3, 4].map(attack.targetOf)).toEqual([1, 2, 3, 4, 0])
		expect(attack.target).toBeNull()
	})
})
