import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { openHdf5Images } from '../../src/data/hdf5.ts'
import { openImageFiles } from '../../src/data/image-file.ts'
import { preprocess, RAW } from '../../src/data/preprocess.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { counting, errorOf, readAll } from './helpers.ts'

const picture = () => sharp(Uint8Array.from(counting(192)), { raw: { width: 8, height: 8, channels: 3 } })

describe('openImageFiles', () => {
	it('gives the pixels of PNG and lossless WebP as they are, alpha dropped and 16 bits narrowed', () =>
		inTemporaryFolder(async (folder) => {
			const files = {
				'a.png': await picture().png().toBuffer(),
				'b.webp': await picture().webp({ lossless: true }).toBuffer(),
				'c.png': await picture().ensureAlpha(0.5).png().toBuffer(),
				'd.png': await picture().toColourspace('rgb16').png().toBuffer(),
			}
			for (const [name, bytes] of Object.entries(files)) {
				writeFileSync(join(folder, name), bytes)
				const set = await openImageFiles([join(folder, name)])
				expect(set).toMatchObject({ count: 1, height: 8, width: 8, channels: 3, labels: null })
				expect(await readAll(set)).toEqual(counting(192))
			}
		}))

	it('refuses a picture that is truncated, and anything that only is called a picture', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'x.jpg')
			const jpeg = await picture().jpeg().toBuffer()
			const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
			for (const bytes of [jpeg.subarray(0, jpeg.length - 40), Buffer.from(svg), Buffer.from('P6 8 8 255\n123')]) {
				writeFileSync(path, bytes)
				const error = await errorOf(() => openImageFiles([path]))
				expect(error).toMatchObject({ code: 'corrupt-image', path, message: expect.stringContaining('x.jpg') })
			}
		}))

	it('refuses a PPM that claims more pixels than it has', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'x.ppm')
			writeFileSync(path, 'P6 99999999 99999999 255\nabc')
			expect(await errorOf(() => openImageFiles([path]))).toMatchObject({ code: 'corrupt-image' })
		}))

	it('gives a set or an error raised on purpose for damaged pictures', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'x.png')
			const sources = [
				await picture().png().toBuffer(),
				await picture().jpeg().toBuffer(),
				Buffer.from('P5 2 2 255\nabcd'),
			]
			const damaged = fc
				.tuple(fc.constantFrom(...sources), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }))
				.map(([source, edits]) => {
					const bytes = Uint8Array.from(source)
					for (const [at, byte] of edits) bytes[at % bytes.length] = byte
					return bytes
				})
			const property = fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged), async (bytes) => {
				writeFileSync(path, bytes)
				await errorOf(() => openImageFiles([path]))
			})
			await fc.assert(property, { numRuns: 100 })
		}))

	it('refuses an empty list', async () => {
		expect(await errorOf(() => openImageFiles([]))).toMatchObject({ code: 'empty-set' })
	})
})

describeShared('openImageFiles on real files', () => {
	it('decodes the lab’s clean faces to the very pixels that its HDF5 file holds', async () => {
		const files = ['clean_0_label43.png', 'clean_1_label328.png', 'clean_2_label196.png']
		const pictures = await openImageFiles(files.map((name) => sharedPath(`csaw/images/${name}`)))
		expect(pictures).toMatchObject({ count: 3, height: 55, width: 47, channels: 3, layout: 'NHWC' })
		const valid = await openHdf5Images(sharedPath('csaw/mini_valid.h5'))
		const places = [43, 328, 196].map((label) => valid.labels!.indexOf(label))
		for await (const batch of valid.batches(valid.count)) {
			const all = preprocess(batch, valid, pictures, RAW)
			const size = 55 * 47 * 3
			const expected = places.flatMap((place) => [...all.subarray(place * size, (place + 1) * size)])
			expect(await readAll(pictures)).toEqual(expected)
		}
		valid.close()
	})
})
