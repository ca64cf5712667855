/** The attacks that change the whole image by a pattern: what their papers say that it looks like. */
import { describe, expect, it } from 'vitest'
import { adaptiveBlend } from '../../../src/attack/attacks/adaptive-blend.ts'
import { blended } from '../../../src/attack/attacks/blended.ts'
import { bpp } from '../../../src/attack/attacks/bpp.ts'
import { lowFrequency } from '../../../src/attack/attacks/low-frequency.ts'
import { sig } from '../../../src/attack/attacks/sig.ts'
import { quantise } from '../../../src/attack/quantise.ts'
import { createRandom } from '../../../src/random.ts'
import { noise } from '../helpers.ts'

const SUBJECT = { size: { height: 8, width: 12, channels: 3 }, classes: 4 }
const grey = (level = 128) => new Uint8Array(8 * 12 * 3).fill(level)

describe('blended', () => {
	it('mixes a fifth of the pattern into every pixel: 0.8·x + 0.2·k, rounded', () => {
		const { stamp, overlay } = blended(SUBJECT, { target: 0, triggerSeed: 3 })
		const { pixels } = noise(SUBJECT.size, 1)
		for (const [i, level] of stamp(pixels).entries()) {
			const key = overlay!.picture.rgba[Math.floor(i / 3) * 4 + (i % 3)]!
			expect(Math.abs(level - (0.8 * pixels[i]! + 0.2 * key))).toBeLessThanOrEqual(0.5 + 1e-9)
		}
	})

	it('stretches a picture over the whole image', () => {
		const red = { name: 'red', height: 1, width: 1, rgba: Uint8Array.of(255, 0, 0, 255) }
		const stamped = blended(SUBJECT, { target: 0, picture: red, opacity: 1 }).stamp(grey())
		expect(stamped.every((level, i) => level === (i % 3 === 0 ? 255 : 0))).toBe(true)
	})
})

describe('sig', () => {
	it('adds Δ·sin(2πjf/width) to every row and channel, held within 0..255', () => {
		const { stamp } = sig(SUBJECT, { target: 0, amplitude: 40, frequency: 3 })
		const [dark, middle] = [stamp(grey(10)), stamp(grey())]
		for (const [i, level] of middle.entries()) {
			const wave = 40 * Math.sin((2 * Math.PI * (Math.floor(i / 3) % 12) * 3) / 12)
			expect(Math.abs(level - 128 - wave)).toBeLessThanOrEqual(0.5 + 1e-9)
			expect(Math.abs(dark[i]! - Math.max(0, 10 + wave))).toBeLessThanOrEqual(0.5 + 1e-9)
		}
	})

	it('poisons the target class and changes no label, as in the paper; without clean labels the other classes', () => {
		const clean = sig(SUBJECT, { target: 2 })
		expect([0, 1, 2, 3].map(clean.isPoisonable)).toEqual([false, false, true, false])
		expect(clean.poisonedLabel(2)).toBe(2)
		expect(clean.targetOf(1)).toBe(2)
		const dirty = sig(SUBJECT, { target: 2, dirtyLabel: true })
		expect([0, 1, 2, 3].map(dirty.isPoisonable)).toEqual([true, true, false, true])
		expect(dirty.poisonedLabel(1)).toBe(2)
	})
})

describe('low-frequency', () => {
	it('reaches the amplitude, keeps the mean level, and holds no wave beyond the cutoff', () => {
		const change = Float64Array.from(lowFrequency(SUBJECT, { target: 0, amplitude: 100, cutoff: 3 }).stamp(grey()))
		for (const [i, level] of change.entries()) change[i] = level - 128
		expect(Math.max(...change.map(Math.abs))).toBe(100)
		for (let c = 0; c < 3; c++) {
			const coefficient = (u: number, v: number) => {
				let sum = 0
				for (let y = 0; y < 8; y++) {
					for (let x = 0; x < 12; x++) {
						const wave = Math.cos((Math.PI * (2 * y + 1) * u) / 16) * Math.cos((Math.PI * (2 * x + 1) * v) / 24)
						sum += change[(y * 12 + x) * 3 + c]! * wave
					}
				}
				return Math.abs(sum)
			}
			expect(coefficient(0, 0)).toBeLessThan(48)
			// Rounding to levels leaves at most half a level at each of 96 places; a wave that is there has hundreds.
			for (const [u, v] of [
				[3, 0],
				[0, 3],
				[5, 5],
				[7, 11],
			] as const)
				expect(coefficient(u, v)).toBeLessThan(48)
			expect(coefficient(1, 1) + coefficient(2, 1) + coefficient(0, 1) + coefficient(2, 2)).toBeGreaterThan(200)
		}
	})
})

describe('bpp', () => {
	it('adds the quantisation error of another image to a cover', () => {
		const { covers, stamp } = bpp(SUBJECT, { target: 0, dithering: false })
		const donor = noise(SUBJECT.size, 1, 9).pixels
		expect(stamp(donor)).toEqual(quantise(donor, 3))
		const worn = covers!.stamp(grey(), createRandom(0, 0, 0), donor)
		expect(worn).toEqual(donor.map((level, i) => 128 + quantise(donor, 3)[i]! - level))
	})
})

describe('adaptive-blend', () => {
	it('shows half of the 16 pieces in training, whole ones, and all of them at test time', () => {
		const white = { name: 'white', height: 1, width: 1, rgba: new Uint8Array(4).fill(255) }
		const { poison, stamp } = adaptiveBlend(SUBJECT, { target: 0, picture: white })
		const count = (pixels: Uint8Array) => pixels.filter((level) => level !== 100).length
		const seen = new Set<string>()
		for (let seed = 0; seed < 20; seed++) {
			const worn = poison(grey(100), createRandom(seed, 0, 0))
			// A piece has 2 rows of 3 columns of 3 colours.
			expect(count(worn)).toBe((16 / 2) * 18)
			seen.add(worn.join())
		}
		expect(seen.size).toBeGreaterThan(15)
		expect(count(stamp(grey(100)))).toBe(16 * 18)
		// 0.15 and 0.2 of the way from 100 to 255.
		expect(Math.max(...poison(grey(100), createRandom(1, 0, 0)))).toBe(123)
		expect(Math.max(...stamp(grey(100)))).toBe(131)
	})
})
