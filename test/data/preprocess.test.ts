import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ImageShape, Layout } from '../../src/data/image-set.ts'
import { type Preprocessing, preprocess, RAW } from '../../src/data/preprocess.ts'

const shape = (layout: Layout, height = 2, width = 3, channels = 3): ImageShape => ({ height, width, channels, layout })
const batchOf = (pixels: Uint8Array | Float32Array, count: number) => ({ start: 0, count, pixels })

/** The same images with channels last, from channels first. */
function channelsLast(pixels: Uint8Array, channels: number, area: number): Uint8Array {
	return pixels.map((_, i) => {
		const image = Math.floor(i / (channels * area))
		return pixels[(image * channels + (i % channels)) * area + (Math.floor(i / channels) % area)]!
	})
}

describe('preprocess', () => {
	it('computes (pixel * scale - mean) / std, with channels in the model’s order', () => {
		const preprocessing: Preprocessing = {
			scale: 1 / 255,
			mean: [0.1, 0.2, 0.3],
			std: [2, 4, 8],
			channels: 'bgr',
			resize: false,
		}
		const values = preprocess(
			batchOf(Uint8Array.of(10, 20, 30), 1),
			shape('NHWC', 1, 1),
			shape('NCHW', 1, 1),
			preprocessing,
		)
		const expected = [(30 / 255 - 0.1) / 2, (20 / 255 - 0.2) / 4, (10 / 255 - 0.3) / 8]
		for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 7)
	})

	it('gives the same tensor for channels first and channels last, whatever the model wants', () => {
		const sizes = fc.record({
			count: fc.integer({ min: 1, max: 3 }),
			h: fc.integer({ min: 1, max: 5 }),
			w: fc.integer({ min: 1, max: 5 }),
		})
		const settings = fc.record({
			layout: fc.constantFrom<Layout>('NCHW', 'NHWC'),
			channels: fc.constantFrom('rgb' as const, 'bgr' as const),
			resize: fc.boolean(),
			depth: fc.constantFrom(1, 3),
		})
		fc.assert(
			fc.property(
				sizes,
				settings,
				fc.infiniteStream(fc.nat(255)),
				({ count, h, w }, { layout, channels, resize, depth }, stream) => {
					const first = Uint8Array.from(stream.take(count * depth * h * w))
					const last = channelsLast(first, depth, h * w)
					const to = resize ? shape(layout, 4, 2, depth) : shape(layout, h, w, depth)
					const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.25], channels, resize }
					const a = preprocess(batchOf(first, count), shape('NCHW', h, w, depth), to, preprocessing)
					const b = preprocess(batchOf(last, count), shape('NHWC', h, w, depth), to, preprocessing)
					expect(b).toEqual(a)
				},
			),
		)
	})

	it('changes nothing where nothing is asked', () => {
		const pixels = Float32Array.from({ length: 36 }, (_, i) => i * 0.7)
		expect(preprocess(batchOf(pixels, 2), shape('NCHW'), shape('NCHW'), RAW)).toEqual(pixels)
	})

	it('refuses numbers that cannot be meant', () => {
		const run = (change: Partial<Preprocessing>, channels = 3) =>
			preprocess(
				batchOf(new Uint8Array(6 * channels), 1),
				shape('NHWC', 2, 3, channels),
				shape('NHWC', 2, 3, channels),
				{
					...RAW,
					...change,
				},
			)
		for (const change of [
			{ scale: Number.NaN },
			{ scale: 0 },
			{ mean: [1, 2] },
			{ mean: [] },
			{ std: [1, 0, 1] },
			{ std: [Number.POSITIVE_INFINITY] },
		]) {
			expect(() => run(change)).toThrow(expect.objectContaining({ code: 'bad-preprocessing', exitCode: 2 }))
		}
		expect(() => run({ channels: 'bgr' }, 4)).toThrow(/found one of 4/)
	})

	it('refuses another size unless resizing is asked for, and another number of channels always', () => {
		const batch = batchOf(new Uint8Array(18), 1)
		expect(() => preprocess(batch, shape('NHWC'), shape('NHWC', 4, 4), RAW)).toThrow(/pass --resize/)
		expect(preprocess(batch, shape('NHWC'), shape('NHWC', 4, 4), { ...RAW, resize: true })).toHaveLength(48)
		expect(() => preprocess(batch, shape('NHWC'), shape('NHWC', 2, 3, 1), { ...RAW, resize: true })).toThrow(
			expect.objectContaining({ code: 'shape-mismatch' }),
		)
	})
})
