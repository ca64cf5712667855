/** Small images and every attack on them. */
import fc from 'fast-check'
import type { Attack } from '../../src/attack/attack.ts'
import type { LabelledImages } from '../../src/attack/images.ts'
import { makeAttack } from '../../src/attack/make-attack.ts'
import type { AttackOptions } from '../../src/attack/options.ts'
import type { Picture } from '../../src/attack/overlay.ts'
import { AttackName } from '../../src/contracts/attack-run.ts'
import type { ImageSize } from '../../src/data/image-set.ts'
import { createRandom } from '../../src/random.ts'

export const CLASSES = 5

/** A red disc of sorts, half transparent at its edge. */
export const PICTURE: Picture = {
	name: 'red.png',
	height: 2,
	width: 3,
	rgba: Uint8Array.from([
		250, 10, 20, 255, 250, 10, 20, 128, 0, 0, 0, 0, 250, 10, 20, 60, 250, 10, 20, 255, 9, 9, 9, 1,
	]),
}

/** Every attack but `none`. */
export const REAL_ATTACKS = AttackName.options.filter((name) => name !== 'none')

/** The attack with no more options than it must have; the target is 1. */
export function plainAttack(name: AttackName, size: ImageSize, more: AttackOptions = {}): Attack {
	const target = name === 'none' || name === 'all-to-all' ? {} : { target: 1 }
	const picture = name === 'sticker' ? { picture: PICTURE } : {}
	return makeAttack(name, size, CLASSES, { ...target, ...picture, ...more })
}

/** Sizes from the smallest that every attack takes. */
export const sizes: fc.Arbitrary<ImageSize> = fc.record({
	height: fc.integer({ min: 5, max: 12 }),
	width: fc.integer({ min: 5, max: 12 }),
	channels: fc.constantFrom(1, 3),
})

/** `count` images of even noise; labels go round all classes. */
export function noise({ height, width, channels }: ImageSize, count: number, seed = 1): LabelledImages {
	const random = createRandom(seed, 0, 0)
	const pixels = Uint8Array.from({ length: count * height * width * channels }, () => random.below(256))
	return { pixels, labels: Int32Array.from({ length: count }, (_, i) => i % CLASSES), count }
}

/** What `body` throws. */
export function thrownBy(body: () => unknown): unknown {
	try {
		body()
	} catch (error) {
		return error
	}
	throw new Error('expected an error, found none')
}
