import { describe, expect, it } from 'vitest'
import { fieldOf, wanet } from '../../../src/attack/attacks/wanet.ts'
import { createRandom } from '../../../src/random.ts'
import { noise } from '../helpers.ts'
import { imageOf, oracle } from '../oracle.ts'

describe('fieldOf', () => {
	it('is the grid that the authors’ code builds in PyTorch from the same control points', () => {
		for (const { k, s, control, grid, image } of oracle.wanet) {
			const field = fieldOf(Float64Array.from(control.values), k, s, imageOf(image).size)
			for (const [i, place] of field.entries()) expect(Math.abs(place - grid.values[i]!)).toBeLessThan(2e-9)
		}
	})
})

describe('wanet', () => {
	const subject = { size: { height: 12, width: 12, channels: 3 }, classes: 4 }

	it('bends each cover differently, and none as the trigger does: the noise mode', () => {
		const { covers, stamp } = wanet(subject, { target: 0 })
		const { pixels } = noise(subject.size, 1)
		const [one, other] = [1, 2].map((seed) => covers!.stamp(pixels, createRandom(seed, 0, 0), pixels))
		expect(one).not.toEqual(other)
		expect(one).not.toEqual(stamp(pixels))
	})

	it('bends more with more strength, and differently with another seed', () => {
		const slope = Uint8Array.from({ length: 12 * 12 * 3 }, (_, i) => (Math.floor(i / 3) % 12) * 20)
		const change = (strength: number) => {
			const bent = wanet(subject, { target: 0, strength }).stamp(slope)
			return bent.reduce((sum, level, i) => sum + Math.abs(level - slope[i]!), 0)
		}
		expect(change(2)).toBeGreaterThan(2 * change(0.5))
		expect(wanet(subject, { target: 0, triggerSeed: 1 }).stamp(slope)).not.toEqual(
			wanet(subject, { target: 0 }).stamp(slope),
		)
	})
})
