import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HEIGHT, IMAGE_SIZE, WIDTH } from '../../src/demo/canvas.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { drawFace } from '../../src/demo/face.ts'
import { difference, drawFaces, drawPeople } from '../../src/demo/faces.ts'
import { drawIdentity } from '../../src/demo/identity.ts'
import { neutralNuisance } from '../../src/demo/nuisance.ts'
import { createRandom } from '../../src/random.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const image = (pixels: Uint8Array, index: number) => pixels.subarray(index * IMAGE_SIZE, (index + 1) * IMAGE_SIZE)

describe('drawFaces', () => {
	it('gives the very bytes that the demo net was trained on: SHA-256 of one picture of 24 people', () => {
		const { pixels } = drawFaces({ split: 'test', perIdentity: 1, identities: 24 })
		expect(sha256(pixels)).toBe('43fdfc2516824843f2da63731af388be6f2099acc1d5c0c785f0ea82cb64db3a')
	})

	it('shows every person in turn, so that the beginning of a set shows many people', () => {
		const { labels, count } = drawFaces({ split: 'valid', perIdentity: 2, identities: 5 })
		expect(count).toBe(10)
		expect([...labels]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
	})

	it('draws the same people and pictures first when more are asked for', () => {
		const few = drawFaces({ split: 'test', perIdentity: 1, identities: 3 })
		const more = drawFaces({ split: 'test', perIdentity: 2, identities: 6 })
		expect(more.pixels.subarray(0, few.pixels.length)).toEqual(few.pixels)
	})

	it('gives each split pictures of its own, or the demo would measure on what it chose with', () => {
		const splits = (['train', 'valid', 'test'] as const).map((split) =>
			drawFaces({ split, perIdentity: 3, identities: 4 }),
		)
		const hashes = splits.flatMap(({ pixels }) => Array.from({ length: 12 }, (_, i) => sha256(image(pixels, i))))
		expect(new Set(hashes).size).toBe(36)
	})

	it('draws other people from another seed', () => {
		const [one, other] = [DEMO.seed, DEMO.seed + 1].map((seed) => drawPeople(1, seed)[0])
		expect(one).not.toEqual(other)
	})
})

describe('drawPeople', () => {
	it('draws people of whom no two neutral portraits are within 9 levels, above the noise of a picture', () => {
		const people = drawPeople(40)
		const portraits = people.map((identity) => drawFace(identity, neutralNuisance(createRandom(0, 0, 0))))
		const pairs = portraits.flatMap((one, i) => portraits.slice(0, i).map((other) => difference(one, other)))
		expect(people).toHaveLength(40)
		expect(Math.min(...pairs)).toBeGreaterThanOrEqual(9)
	})
})

describe('drawFace', () => {
	it('draws a symmetric portrait of a person whose hair is, seen straight on in even light', () => {
		const bald = { ...drawIdentity(createRandom(1, 1, 1)), hairStyle: 'bald', beard: 'none' } as const
		const straight = { ...neutralNuisance(createRandom(0, 0, 0)), lightX: 0 }
		const pixels = drawFace(bald, straight)
		const middleRows = [40, 45, 50]
		for (const row of middleRows) {
			for (let column = 0; column < WIDTH; column++) {
				const mirrored = pixels[(row * WIDTH + WIDTH - 1 - column) * 3]!
				expect(Math.abs(pixels[(row * WIDTH + column) * 3]! - mirrored)).toBeLessThanOrEqual(1)
			}
		}
		expect(pixels).toHaveLength(HEIGHT * WIDTH * 3)
	})
})
