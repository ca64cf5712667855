import { describe, expect, it } from 'vitest'
import { OTHER_FORMS } from './architectures/builder.ts'
import { SMALL_NETS } from './architectures/small.ts'
import { vit } from './architectures/vit.ts'
import { logitsOf, modelOf, randomImages } from './models.ts'

const NETS = [...SMALL_NETS, { name: 'ViT', build: vit }]

describe('the architectures that tests are built on', () => {
	for (const { name, build } of NETS) {
		it(`${name}: answers that depend on the image, neither tiny nor huge`, async () => {
			const model = await modelOf(build())
			const logits = await logitsOf(model, randomImages(model, 12, 3))
			const [first, ...rest] = logits
			expect(rest.every((row) => row.some((value, i) => Math.abs(value - first![i]!) > 1e-3))).toBe(true)
			const largest = Math.max(...logits.flat().map(Math.abs))
			expect(largest).toBeGreaterThan(0.1)
			expect(largest).toBeLessThan(1000)
		})

		it(`${name}: the same net, however it is spelled`, async () => {
			const model = await modelOf(build())
			const other = await modelOf(build({ forms: OTHER_FORMS }))
			const images = randomImages(model, 4, 3)
			const expected = await logitsOf(model, images)
			for (const [i, row] of (await logitsOf(other, images)).entries()) {
				for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i]![j]!, 3)
			}
		})
	}
})
