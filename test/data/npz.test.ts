import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Zippable, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/data/npy.ts'
import { openNpzImages } from '../../src/data/npz.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { counting, errorOf, readAll } from './helpers.ts'

const IMAGES = writeNpy([4, 5, 5, 3], Float32Array.from(counting(300)))
const LABELS = writeNpy([4], Float32Array.of(3, 0, 1, 2))

function withFile<T>(entries: Zippable, body: (path: string) => Promise<T>): Promise<T> {
	return inTemporaryFolder((folder) => {
		const path = join(folder, 'set.npz')
		writeFileSync(path, zipSync(entries))
		return body(path)
	})
}

describe('openNpzImages', () => {
	it('reads stored and deflated arrays under the usual names', async () => {
		for (const level of [0, 6] as const) {
			for (const [images, labels] of [
				['data', 'label'],
				['x_test', 'y_test'],
				['arr_0', 'arr_1'],
			] as const) {
				await withFile(
					{ [`${images}.npy`]: [IMAGES, { level }], [`${labels}.npy`]: [LABELS, { level }] },
					async (path) => {
						const set = await openNpzImages(path)
						expect(set).toMatchObject({ count: 4, height: 5, width: 5, channels: 3, layout: 'NHWC' })
						expect([...set.labels!]).toEqual([3, 0, 1, 2])
						expect(await readAll(set, 3)).toEqual(counting(300))
					},
				)
			}
		}
	})

	it('reads the arrays that the caller names, and lists what there is where they are absent', () =>
		withFile({ 'faces.npy': IMAGES, 'who.npy': LABELS }, async (path) => {
			const set = await openNpzImages(path, { names: { images: 'faces', labels: 'who' } })
			expect(set.labels).toHaveLength(4)
			const error = await errorOf(() => openNpzImages(path))
			expect(error).toMatchObject({ code: 'no-images', message: expect.stringContaining('"faces", "who"') })
		}))

	it('refuses an entry that claims more than deflate can hold, before inflating it', () =>
		withFile({ 'data.npy': [new Uint8Array(1000), { level: 9 }] }, async (path) => {
			const { bytes, at } = claimSize(zipSync({ 'data.npy': [new Uint8Array(1000), { level: 9 }] }), 900 * 2 ** 20)
			expect(at).toBeGreaterThan(0)
			writeFileSync(path, bytes)
			expect(await errorOf(() => openNpzImages(path))).toMatchObject({ code: 'corrupt-npz' })
			writeFileSync(path, claimSize(bytes, 2 ** 31).bytes)
			expect(await errorOf(() => openNpzImages(path))).toMatchObject({ code: 'too-large' })
		}))

	it('gives a set or an error raised on purpose for arbitrary bytes', () =>
		withFile({ 'data.npy': IMAGES, 'label.npy': LABELS }, (path) => {
			const sound = zipSync({ 'data.npy': IMAGES, 'label.npy': LABELS })
			const flipped = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 6 }).map((edits) => {
				const bytes = Uint8Array.from(sound)
				for (const [at, byte] of edits) bytes[at] = byte
				return bytes
			})
			const cut = fc.nat(sound.length).map((length) => sound.slice(0, length))
			const property = fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 100 }), flipped, cut), async (bytes) => {
				writeFileSync(path, bytes)
				await errorOf(() => openNpzImages(path))
			})
			return fc.assert(property, { numRuns: 200 })
		}))
})

/** Overwrites the inflated size that the zip's central directory states for its first entry. */
function claimSize(zip: Uint8Array, size: number): { bytes: Uint8Array; at: number } {
	const bytes = Uint8Array.from(zip)
	const at = Buffer.from(bytes).indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24
	new DataView(bytes.buffer).setUint32(at, size, true)
	return { bytes, at }
}
