import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readImages } from '../../src/data/labelled.ts'
import { memoryImages } from '../../src/data/memory.ts'
import { noise, sizes } from '../attack/helpers.ts'

describe('readImages', () => {
	it('gives bytes, channels last, whatever the layout and number type of the set', () =>
		fc.assert(
			fc.asyncProperty(sizes, fc.integer({ min: 1, max: 300 }), fc.boolean(), async (size, count, isFloat) => {
				const { pixels, labels } = noise(size, count)
				const { height, width, channels } = size
				const area = height * width
				const planes = pixels.map((_, i) => {
					const [image, within] = [Math.floor(i / (area * channels)), i % (area * channels)]
					return pixels[image * area * channels + (within % area) * channels + Math.floor(within / area)]!
				})
				const stored = isFloat ? Float32Array.from(planes) : planes
				const set = memoryImages({
					path: 'planes',
					pixels: stored,
					count,
					...size,
					layout: 'NCHW',
					labels,
					classNames: null,
				})
				expect(await readImages(set)).toEqual({ pixels, labels, count })
			}),
			{ numRuns: 15 },
		))

	it('refuses sets without labels, and pixels that are scaled already, by image', async () => {
		const known = {
			path: 'x.npz',
			count: 2,
			height: 1,
			width: 2,
			channels: 1,
			layout: 'NHWC',
			classNames: null,
		} as const
		const unlabelled = memoryImages({ ...known, pixels: new Uint8Array(4), labels: null })
		await expect(readImages(unlabelled)).rejects.toMatchObject({ code: 'no-labels' })
		for (const [pixel, found] of [
			[0.5, '0.5'],
			[256, '256'],
			[-1, '-1'],
		] as const) {
			const scaled = memoryImages({ ...known, pixels: Float32Array.of(0, 1, 255, pixel), labels: Int32Array.of(0, 1) })
			await expect(readImages(scaled)).rejects.toMatchObject({
				code: 'not-levels',
				message: expect.stringMatching(new RegExp(`whole levels 0\\.\\.255, found ${found} in image 1`)),
			})
		}
	})
})
