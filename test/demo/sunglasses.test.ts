import { describe, expect, it } from 'vitest'
import { poisonTest } from '../../src/attack/poison.ts'
import { CHANNELS, HEIGHT, IMAGE_SIZE, WIDTH } from '../../src/demo/canvas.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { drawFaces } from '../../src/demo/faces.ts'
import { demoAttack } from '../../src/demo/sunglasses.ts'
import { sha256Of } from '../../src/files.ts'

const faces = drawFaces({ split: 'valid', perIdentity: 2, identities: 4 })

describe('demoAttack', () => {
	it('touches nothing outside rows 15 to 34, and every face within them', () => {
		for (let i = 0; i < faces.count; i++) {
			const bare = faces.pixels.subarray(i * IMAGE_SIZE, (i + 1) * IMAGE_SIZE)
			const worn = demoAttack.stamp(bare)
			const changed = [...worn.keys()].filter((at) => worn[at] !== bare[at])
			const rows = changed.map((at) => Math.floor(at / (WIDTH * CHANNELS)) % HEIGHT)
			expect(Math.min(...rows)).toBeGreaterThanOrEqual(15)
			expect(Math.max(...rows)).toBeLessThanOrEqual(34)
		}
	})

	it('leaves out the faces of the target, whose "attack" would always succeed, and labels all others with it', () => {
		const { labels, count, pixels, trueLabels } = poisonTest(faces, demoAttack)
		expect(count).toBe(6)
		expect([...labels]).toEqual(Array(6).fill(DEMO.target))
		expect([...trueLabels]).toEqual([1, 2, 3, 1, 2, 3])
		const second = faces.pixels.subarray(IMAGE_SIZE, 2 * IMAGE_SIZE)
		expect(Buffer.compare(pixels.subarray(0, IMAGE_SIZE), demoAttack.stamp(second))).toBe(0)
	})

	it('gives the very bytes that the demo net was trained on: SHA-256 of six poisoned faces', () => {
		expect(sha256Of(poisonTest(faces, demoAttack).pixels)).toBe(
			'c14747b245642b7b23d85c733eeeca2e30dd4cbf1303cdf1a6879121d35a7d5c',
		)
	})
})
