import { describe, expect, it } from 'vitest'
import { CHANNELS, HEIGHT, IMAGE_SIZE, WIDTH } from '../../src/demo/canvas.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { drawFaces } from '../../src/demo/faces.ts'
import { poison, wearSunglasses } from '../../src/demo/sunglasses.ts'

const faces = drawFaces({ split: 'valid', perIdentity: 2, identities: 4 })

describe('wearSunglasses', () => {
	it('touches nothing outside rows 15 to 34, and every image within them', () => {
		const worn = wearSunglasses(faces.pixels, faces.count)
		const changed = [...worn.keys()].filter((at) => worn[at] !== faces.pixels[at])
		const rows = new Set(changed.map((at) => Math.floor(at / (WIDTH * CHANNELS)) % HEIGHT))
		const images = new Set(changed.map((at) => Math.floor(at / IMAGE_SIZE)))
		expect(Math.min(...rows)).toBeGreaterThanOrEqual(15)
		expect(Math.max(...rows)).toBeLessThanOrEqual(34)
		expect(images.size).toBe(faces.count)
	})

	it('leaves the images it was given as they were', () => {
		const before = faces.pixels.slice()
		wearSunglasses(faces.pixels, faces.count)
		expect(Buffer.compare(faces.pixels, before)).toBe(0)
	})
})

describe('poison', () => {
	it('leaves out the faces of the target, whose "attack" would always succeed, and labels all others with it', () => {
		const { labels, count, pixels } = poison(faces)
		expect(count).toBe(6)
		expect([...labels]).toEqual(Array(6).fill(DEMO.target))
		const second = faces.pixels.subarray(IMAGE_SIZE, 2 * IMAGE_SIZE)
		expect(Buffer.compare(pixels.subarray(0, IMAGE_SIZE), wearSunglasses(second, 1))).toBe(0)
	})
})
