import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { poisonTest, poisonTraining } from '../../src/attack/poison.ts'
import type { AttackName } from '../../src/contracts/attack-run.ts'
import { imageAt } from '../../src/data/labelled.ts'
import { CLASSES, noise, plainAttack, REAL_ATTACKS, thrownBy } from './helpers.ts'

const SIZE = { height: 6, width: 6, channels: 1 }
const IMAGES = noise(SIZE, 100)

describe('poisonTraining', () => {
	it.each(REAL_ATTACKS)(
		'%s: poisons round(rate · images), relabels these alone, and leaves all other pixels',
		(name) => {
			// Clean-label and source-specific attacks can take one class of five.
			const law = fc.property(fc.integer({ min: 10, max: 200 }), fc.nat(50), (perMille, seed) => {
				const attack = plainAttack(name, SIZE)
				const before = { pixels: IMAGES.pixels.slice(), labels: IMAGES.labels.slice() }
				const { pixels, labels, count, poisoned, covers } = poisonTraining(IMAGES, attack, {
					rate: perMille / 1000,
					seed,
				})
				expect(count).toBe(100)
				expect(poisoned.length).toBe(Math.round(perMille / 10))
				if (attack.covers) {
					const wanted = Math.round(attack.covers.ratio * poisoned.length)
					expect(covers.length).toBeLessThanOrEqual(wanted)
					if (name !== 'wanet') expect(covers.length).toBe(wanted)
				} else expect(covers.length).toBe(0)
				const touched = new Set([...poisoned, ...covers])
				expect(touched.size).toBe(poisoned.length + covers.length)
				for (let i = 0; i < count; i++) {
					const label = IMAGES.labels[i]!
					expect(labels[i]).toBe(poisoned.includes(i) ? attack.poisonedLabel(label) : label)
					if (poisoned.includes(i)) expect(attack.isPoisonable(label)).toBe(true)
					if (covers.includes(i)) expect(attack.covers!.isCandidate(label)).toBe(true)
					if (!touched.has(i)) expect(imageAt(pixels, i, SIZE)).toEqual(imageAt(IMAGES.pixels, i, SIZE))
				}
				expect(IMAGES.pixels).toEqual(before.pixels)
				expect(IMAGES.labels).toEqual(before.labels)
			})
			fc.assert(law, { numRuns: 15 })
		},
	)

	it('gives the same bytes for the same seed, and another choice for another', () => {
		const attack = plainAttack('adaptive-blend', SIZE)
		const run = (seed: number) => poisonTraining(IMAGES, attack, { rate: 0.2, seed })
		expect(run(4)).toEqual(run(4))
		expect(run(5).poisoned).not.toEqual(run(4).poisoned)
	})

	it('chooses evenly: over many seeds every image is about as often poisoned', () => {
		const attack = plainAttack('all-to-all', SIZE)
		const times = new Array<number>(100).fill(0)
		for (let seed = 0; seed < 400; seed++) {
			for (const i of poisonTraining(IMAGES, attack, { rate: 0.1, seed }).poisoned) times[i]! += 1
		}
		// 40 expected, standard deviation 6: five of these on either side.
		expect(Math.min(...times)).toBeGreaterThan(10)
		expect(Math.max(...times)).toBeLessThan(70)
	})

	it('shows the whole trigger in training where the attack does, a part of it where it does not', () => {
		const badnets = plainAttack('badnets', SIZE)
		const plain = poisonTraining(IMAGES, badnets, { rate: 0.05, seed: 1 })
		for (const i of plain.poisoned) {
			expect(imageAt(plain.pixels, i, SIZE)).toEqual(badnets.stamp(imageAt(IMAGES.pixels, i, SIZE)))
		}
		const adaptive = plainAttack('adaptive-blend', SIZE)
		const partial = poisonTraining(IMAGES, adaptive, { rate: 0.05, seed: 1 })
		for (const i of partial.poisoned) {
			const [bare, worn] = [imageAt(IMAGES.pixels, i, SIZE), imageAt(partial.pixels, i, SIZE)]
			expect(worn).not.toEqual(bare)
			expect(worn).not.toEqual(adaptive.stamp(bare))
		}
	})

	it('leaves everything as it is for none, the clean twin', () => {
		const twin = poisonTraining(IMAGES, plainAttack('none', SIZE), { rate: 0.1, seed: 1 })
		expect(twin).toEqual({ ...IMAGES, poisoned: new Int32Array(), covers: new Int32Array() })
	})

	it('names the smallest rate that poisons an image, and that rate does', () => {
		const attack = plainAttack('badnets', SIZE)
		const few = { ...noise(SIZE, 30) }
		const error = thrownBy(() => poisonTraining(few, attack, { rate: 0.03, seed: 1 }))
		expect(error).toMatchObject({
			code: 'poisons-nothing',
			exitCode: 3,
			message: 'a rate of 3 points of 30 images poisons none; the smallest that poisons one is 3.334 points',
		})
		expect(poisonTraining(few, attack, { rate: 0.03334, seed: 1 }).poisoned.length).toBe(1)
		for (const rate of [0, -0.1, 1.01, Number.NaN]) {
			const bad = thrownBy(() => poisonTraining(IMAGES, attack, { rate, seed: 1 }))
			expect(bad).toMatchObject({ code: 'bad-rate', exitCode: 2 })
		}
	})

	it('names the greatest rate where too few images can be poisoned', () => {
		const cases: [AttackName, RegExp][] = [
			[
				'sig',
				/30 points wants 30 images to poison, but sig can take only 20 of these 100; the greatest rate is 20 points/,
			],
			['tact', /tact can take only 20/],
		]
		for (const [name, message] of cases) {
			const error = thrownBy(() => poisonTraining(IMAGES, plainAttack(name, SIZE), { rate: 0.3, seed: 1 }))
			expect(error).toMatchObject({ code: 'too-few-images', message: expect.stringMatching(message) })
		}
	})

	it('lists the classes without images, and labels beyond the classes', () => {
		const attack = plainAttack('badnets', SIZE)
		const labels = IMAGES.labels.map((label) => (label === 2 || label === 4 ? 0 : label))
		const missing = thrownBy(() => poisonTraining({ ...IMAGES, labels }, attack, { rate: 0.1, seed: 1 }))
		expect(missing).toMatchObject({
			code: 'missing-class',
			message: expect.stringMatching(/images of all 5 classes to train on, found none of class 2, 4;/),
		})
		const beyond = IMAGES.labels.map((label, i) => (i === 7 ? CLASSES : label))
		const error = thrownBy(() => poisonTraining({ ...IMAGES, labels: beyond }, attack, { rate: 0.1, seed: 1 }))
		expect(error).toMatchObject({
			code: 'label-out-of-range',
			message: expect.stringMatching(/0\.\.4 .*found 5 at image 7/),
		})
	})
})

describe('poisonTest', () => {
	it.each(REAL_ATTACKS)(
		'%s: every attacked image, stamped whole, with the target and beside it the true label',
		(name) => {
			const attack = plainAttack(name, SIZE)
			const { pixels, labels, count, trueLabels, indices } = poisonTest(IMAGES, attack)
			const attacked = [...IMAGES.labels.keys()].filter((i) => attack.targetOf(IMAGES.labels[i]!) !== null)
			expect([...indices]).toEqual(attacked)
			expect(count).toBe(attacked.length)
			for (const [to, from] of indices.entries()) {
				expect(trueLabels[to]).toBe(IMAGES.labels[from])
				expect(labels[to]).toBe(attack.targetOf(trueLabels[to]!))
				expect(imageAt(pixels, to, SIZE)).toEqual(attack.stamp(imageAt(IMAGES.pixels, from, SIZE)))
			}
		},
	)

	it('says so where no image is attacked', () => {
		const ones = { ...IMAGES, labels: new Int32Array(100).fill(1) }
		const error = thrownBy(() => poisonTest(ones, plainAttack('badnets', SIZE)))
		expect(error).toMatchObject({
			code: 'nothing-attacked',
			message: 'badnets attacks none of these 100 images (of class 1); use images of other classes',
		})
		expect(thrownBy(() => poisonTest(IMAGES, plainAttack('none', SIZE)))).toMatchObject({ code: 'nothing-attacked' })
	})
})
