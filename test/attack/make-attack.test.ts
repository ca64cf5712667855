import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeAttack } from '../../src/attack/make-attack.ts'
import type { AttackOptions } from '../../src/attack/options.ts'
import { AttackName } from '../../src/contracts/attack-run.ts'
import { imageAt, valuesOf } from '../../src/data/labelled.ts'
import { createRandom } from '../../src/random.ts'
import { CLASSES, noise, PICTURE, plainAttack, REAL_ATTACKS, sizes, thrownBy } from './helpers.ts'

const SIZE = { height: 8, width: 9, channels: 3 }

describe('makeAttack', () => {
	it.each(AttackName.options)(
		'%s: stamps a new image of the same length, deterministically, and leaves its input',
		(name) => {
			const law = fc.property(sizes, fc.nat(1000), (size, seed) => {
				const attack = plainAttack(name, size)
				const { pixels } = noise(size, 2, seed)
				const before = pixels.slice()
				const [image, donor] = [imageAt(pixels, 0, size), imageAt(pixels, 1, size)]
				const random = () => createRandom(seed, 2, 3)
				const looks = [
					() => attack.stamp(image),
					() => attack.poison(image, random()),
					...(attack.covers ? [() => attack.covers!.stamp(image, random(), donor)] : []),
				]
				for (const look of looks) {
					const stamped = look()
					expect(stamped).toBeInstanceOf(Uint8Array)
					expect(stamped.length).toBe(valuesOf(size))
					expect(stamped.buffer).not.toBe(pixels.buffer)
					expect(look()).toEqual(stamped)
				}
				expect(pixels).toEqual(before)
			})
			fc.assert(law, { numRuns: 15 })
		},
	)

	it.each(REAL_ATTACKS)('%s: changes the image, and made again from its own record does the same', (name) => {
		const attack = plainAttack(name, SIZE)
		const { pixels } = noise(SIZE, 1)
		const stamped = attack.stamp(pixels)
		expect(stamped).not.toEqual(pixels)
		// A record names the picture by its path; everything else is an option as it was.
		const recorded = { ...attack.parameters, ...(attack.parameters.picture && { picture: PICTURE }) } as AttackOptions
		const again = makeAttack(name, SIZE, CLASSES, recorded)
		expect(again.stamp(pixels)).toEqual(stamped)
		expect(again.parameters).toEqual(attack.parameters)
	})

	it.each(AttackName.options)(
		'%s: wants labels within the classes, other than the true one, and lets them be trained',
		(name) => {
			const attack = plainAttack(name, SIZE)
			for (let label = 0; label < CLASSES; label++) {
				const wanted = attack.targetOf(label)
				if (wanted !== null) {
					expect(wanted).toBeGreaterThanOrEqual(0)
					expect(wanted).toBeLessThan(CLASSES)
					expect(wanted).not.toBe(label)
				}
				if (attack.isPoisonable(label)) expect(attack.poisonedLabel(label)).toBe(wanted ?? label)
				if (attack.target !== null && wanted !== null) expect(wanted).toBe(attack.target)
			}
		},
	)

	it('refuses names, targets, classes and options that make no attack: each error names what is expected and found', () => {
		const grey4 = { height: 8, width: 8, channels: 4 }
		const cases: [() => unknown, string, RegExp][] = [
			[() => makeAttack('badnet', SIZE, 5), 'unknown-attack', /expected an attack \(none, badnets, .*found "badnet"/],
			[() => makeAttack('badnets', SIZE, 5), 'no-target', /one of 0\.\.4 with --target/],
			[() => makeAttack('badnets', SIZE, 5, { target: 5 }), 'bad-target', /target label 0\.\.4 .*found 5/],
			[() => makeAttack('badnets', SIZE, 5, { target: 0.5 }), 'bad-target', /found 0\.5/],
			[() => makeAttack('badnets', SIZE, 1, { target: 0 }), 'too-few-classes', /at least 2 classes, found 1/],
			[() => makeAttack('badnets', grey4, 5, { target: 0 }), 'unsupported-channels', /1 or 3 channels.*found 4/],
			[
				() => makeAttack('badnets', SIZE, 5, { target: 0, size: 9 }),
				'trigger-too-large',
				/images of 8×9 .*patch of 9×9/,
			],
			[
				() => makeAttack('badnets', SIZE, 5, { target: 0, strength: 2 }),
				'bad-option',
				/--strength: badnets takes --target/,
			],
			[() => makeAttack('none', SIZE, 5, { target: 0 }), 'bad-option', /--target: none takes no options/],
			[() => makeAttack('all-to-all', SIZE, 5, { target: 0 }), 'bad-option', /--target: all-to-all has none/],
			[() => makeAttack('sticker', SIZE, 5, { target: 0 }), 'no-trigger', /name a PNG.*--picture/],
			[
				() => makeAttack('tact', SIZE, 5, { target: 0, sources: [0] }),
				'bad-class',
				/--sources: .*other than the target 0, found 0/,
			],
			[() => makeAttack('tact', SIZE, 2, { target: 0 }), 'bad-class', /--cover-classes: .*found none/],
			[
				() => makeAttack('tact', SIZE, 5, { target: 0, sources: [1], coverClasses: [2, 1] }),
				'bad-class',
				/class 1 cannot be both/,
			],
			[
				() => makeAttack('pruning-aware', SIZE, 5, { target: 0, row: 2 }),
				'bad-option',
				/--row: only a --picture has one/,
			],
			[
				() => makeAttack('tact', SIZE, 5, { target: 0, picture: PICTURE, size: 2 }),
				'bad-option',
				/--size: a picture is laid on as it is/,
			],
			[
				() => makeAttack('blended', SIZE, 5, { target: 0, picture: PICTURE, triggerSeed: 1 }),
				'bad-option',
				/--trigger-seed: .*leave one out/,
			],
			[
				() => makeAttack('wanet', SIZE, 5, { target: 0, triggerSeed: -1 }),
				'bad-option',
				/--trigger-seed: expected a whole number from 0/,
			],
		]
		for (const [body, code, message] of cases) {
			expect(thrownBy(body)).toMatchObject({ code, message: expect.stringMatching(message) })
		}
	})

	it('refuses numbers out of range, of every attack that takes them', () => {
		const bad: [AttackName, AttackOptions][] = [
			['badnets', { size: 0 }],
			['badnets', { size: 1.5 }],
			['badnets', { margin: -1 }],
			// A caller without types.
			['badnets', { position: 'up' as 'center' }],
			['badnets', { color: [256] }],
			['badnets', { color: [1, 2] }],
			['badnets', { pattern: 'four-pixels', size: 4 }],
			['sticker', { row: 0.5 }],
			['blended', { opacity: 0 }],
			['blended', { opacity: 1.1 }],
			['sig', { amplitude: 0 }],
			['sig', { frequency: Number.NaN }],
			['wanet', { grid: 1 }],
			['wanet', { strength: 0 }],
			['wanet', { coverRatio: -1 }],
			['low-frequency', { cutoff: 9 }],
			['low-frequency', { cutoff: 1 }],
			['bpp', { bits: 8 }],
			['bpp', { bits: 0 }],
			['adaptive-blend', { pieces: 9 }],
			['adaptive-blend', { shownPieces: 0 }],
			['adaptive-blend', { trainingOpacity: 2 }],
		]
		for (const [name, options] of bad) {
			const error = thrownBy(() => plainAttack(name, SIZE, options))
			expect(error, `${name} ${JSON.stringify(options)}`).toMatchObject({ code: 'bad-option', exitCode: 2 })
		}
	})
})
