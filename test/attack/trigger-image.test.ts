import { describe, expect, it } from 'vitest'
import { drawTrigger } from '../../src/attack/trigger-image.ts'
import { noise, plainAttack, REAL_ATTACKS } from './helpers.ts'

const SIZE = { height: 8, width: 9, channels: 3 }
const { pixels: example } = noise(SIZE, 1)

describe('drawTrigger', () => {
	it('shows a patch at its place with its opacity', () => {
		const { channels, pixels } = drawTrigger(plainAttack('badnets', SIZE), example)
		expect(channels).toBe(4)
		const opaque = Array.from({ length: 72 }, (_, i) => i).filter((i) => pixels[i * 4 + 3] === 255)
		expect(opaque).toEqual([41, 42, 43, 50, 51, 52, 59, 60, 61])
	})

	it('shows a change of the whole image around middle grey, magnified by a whole factor', () => {
		const attack = plainAttack('sig', SIZE, { amplitude: 20 })
		const { channels, pixels } = drawTrigger(attack, new Uint8Array(216).fill(128))
		const stamped = attack.stamp(new Uint8Array(216).fill(128))
		expect(channels).toBe(3)
		// The greatest change is 17 or 20 levels, by where the columns meet the wave.
		const gain = Math.floor(127 / Math.max(...stamped.map((level) => Math.abs(level - 128))))
		expect([...pixels]).toEqual(Array.from(stamped, (level) => 128 + gain * (level - 128)))
	})

	it.each(REAL_ATTACKS)('%s: is not empty, and as large as the images', (name) => {
		const { height, width, channels, pixels } = drawTrigger(plainAttack(name, SIZE), example)
		expect({ height, width }).toEqual({ height: 8, width: 9 })
		expect(pixels.length).toBe(72 * channels)
		expect(new Set(pixels).size).toBeGreaterThan(1)
	})
})
