import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type MemoryImages, memoryImages } from '../../src/data/memory.ts'
import { counting, errorOf, readAll } from './helpers.ts'

const IMAGES: MemoryImages = {
	path: 'demo',
	pixels: Uint8Array.from(counting(60)),
	count: 5,
	height: 2,
	width: 2,
	channels: 3,
	layout: 'NHWC',
	labels: Int32Array.of(0, 1, 2, 1, 0),
	classNames: null,
}

describe('memoryImages', () => {
	it('gives all images in order, the last batch smaller, in buffers of its own', async () => {
		const set = memoryImages(IMAGES)
		const batches: [number, number][] = []
		for await (const { start, count, pixels } of set.batches(2)) {
			batches.push([start, count])
			pixels.fill(0)
		}
		expect(batches).toEqual([
			[0, 2],
			[2, 2],
			[4, 1],
		])
		expect(await readAll(set, 3)).toEqual(counting(60))
	})

	it('hashes pixels and labels', async () => {
		const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
		const labels = new Uint8Array(IMAGES.labels!.buffer)
		const expected = sha(Buffer.concat([sha(IMAGES.pixels as Uint8Array), sha(labels)])).toString('hex')
		expect(await memoryImages(IMAGES).sha256()).toBe(expected)
		expect(await memoryImages({ ...IMAGES, labels: null }).sha256()).not.toBe(expected)
	})

	it('refuses arrays that do not have the stated sizes', () => {
		const open = (change: Partial<MemoryImages>) => () => memoryImages({ ...IMAGES, ...change })
		expect(open({ count: 4 })).toThrow(expect.objectContaining({ code: 'bad-image-set' }))
		expect(open({ count: 2.5, pixels: new Uint8Array(30) })).toThrow(expect.objectContaining({ code: 'bad-image-set' }))
		expect(open({ labels: Int32Array.of(1) })).toThrow(expect.objectContaining({ code: 'label-count' }))
		expect(open({ labels: Int32Array.of(0, 1, 2, 1, -1) })).toThrow(expect.objectContaining({ code: 'bad-label' }))
		expect(open({ count: 0, pixels: new Uint8Array(0), labels: null })).toThrow(
			expect.objectContaining({ code: 'empty-set' }),
		)
	})

	it('stops when the signal is aborted, and refuses a batch size that is no size', async () => {
		const set = memoryImages(IMAGES)
		const abort = new AbortController()
		const read = async () => {
			for await (const _ of set.batches(1, abort.signal)) abort.abort()
		}
		await expect(read()).rejects.toMatchObject({ code: 'interrupted' })
		for (const size of [0, -1, 1.5, Number.NaN]) {
			await expect(readAll(set, size)).rejects.toMatchObject({ code: 'bad-batch-size' })
		}
	})

	it('names the image that is not finite', async () => {
		const pixels = Float32Array.from(counting(60))
		pixels[59] = Number.NaN
		const error = await errorOf(async () => memoryImages({ ...IMAGES, pixels }))
		expect(error).toMatchObject({ code: 'not-finite', message: expect.stringContaining('image 4') })
	})
})
