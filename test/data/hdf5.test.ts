import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { File, ready } from 'h5wasm/node'
import { describe, expect, it, vi } from 'vitest'
import { openHdf5Images } from '../../src/data/hdf5.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { counting, errorOf, readAll, writeHdf5 } from './helpers.ts'

const SHAPE = [5, 3, 4, 6]
const PIXELS = counting(360)
const LABELS = { shape: [5], data: Float64Array.of(0, 4, 2, 2, 1), dtype: '<f8' }

describe('openHdf5Images', () => {
	it('reads the same images from float64, float32 and bytes, contiguous and in gzipped chunks that batches cut across', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			for (const chunks of [undefined, [2, 3, 4, 6], [4, 1, 2, 5]]) {
				const packing = chunks ? { chunks } : {}
				const stored = [
					{ data: Float64Array.from(PIXELS), dtype: '<f8' },
					{ data: Float32Array.from(PIXELS), dtype: '<f4' },
					{ data: Uint8Array.from(PIXELS), dtype: '<B' },
				]
				for (const array of stored) {
					await writeHdf5(path, { data: { shape: SHAPE, ...array, ...packing }, label: LABELS })
					const set = await openHdf5Images(path)
					expect(set).toMatchObject({ count: 5, height: 4, width: 6, channels: 3, layout: 'NCHW' })
					expect([...set.labels!]).toEqual([0, 4, 2, 2, 1])
					expect(await readAll(set, 2)).toEqual(PIXELS)
					set.close()
				}
			}
		}))

	it('reads [N, H, W] as grey images, and labels of any integer type', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			const label = { shape: [15], data: BigInt64Array.from({ length: 15 }, (_, i) => BigInt(i)), dtype: '<q' }
			await writeHdf5(path, { data: { shape: [15, 4, 6], data: Uint8Array.from(PIXELS), dtype: '<B' }, label })
			const set = await openHdf5Images(path)
			expect(set).toMatchObject({ count: 15, height: 4, width: 6, channels: 1 })
			expect(set.labels![14]).toBe(14)
			set.close()
		}))

	it('has no labels where the file has none', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			await writeHdf5(path, { images: { shape: SHAPE, data: Uint8Array.from(PIXELS), dtype: '<B' } })
			const set = await openHdf5Images(path)
			expect(set.labels).toBeNull()
			set.close()
		}))

	it('refuses labels that are fractional, negative, or not one per image', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			const data = { shape: SHAPE, data: Uint8Array.from(PIXELS), dtype: '<B' }
			const cases = [
				[Float64Array.of(0, 1, 0.5, 0, 0), 'bad-label', /found 0.5 at image 2/],
				[Float64Array.of(0, 1, 2, -1, 0), 'bad-label', /found -1 at image 3/],
				[Float64Array.of(0, 1, 2, 3), 'label-count', /\(5\), found 4/],
			] as const
			for (const [values, code, message] of cases) {
				await writeHdf5(path, { data, label: { shape: [values.length], data: values, dtype: '<f8' } })
				const error = await errorOf(() => openHdf5Images(path))
				expect(error).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
			}
		}))

	it('refuses NaN and infinite pixels and names image and dataset', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, 1e300]) {
				const data = Float64Array.from(PIXELS)
				data[3 * 72 + 5] = value
				await writeHdf5(path, { data: { shape: SHAPE, data, dtype: '<f8' } })
				const error = await errorOf(() => openHdf5Images(path))
				expect(error).toMatchObject({ code: 'not-finite', message: expect.stringMatching(/"data" in .* image 3;/) })
			}
		}))

	it('refuses an empty set', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			await writeHdf5(path, { data: { shape: [0, 3, 4, 6], data: new Uint8Array(0), dtype: '<B' } })
			expect(await errorOf(() => openHdf5Images(path))).toMatchObject({ code: 'empty-set' })
		}))

	it('reads the arrays that the caller names, and says which one is missing', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			const data = { shape: SHAPE, data: Uint8Array.from(PIXELS), dtype: '<B' }
			await writeHdf5(path, { faces: data, who: LABELS })
			const set = await openHdf5Images(path, { names: { images: 'faces', labels: 'who' } })
			expect([...set.labels!]).toEqual([0, 4, 2, 2, 1])
			set.close()
			expect(await errorOf(() => openHdf5Images(path))).toMatchObject({ code: 'no-images' })
			const error = await errorOf(() => openHdf5Images(path, { names: { images: 'faces', labels: 'nope' } }))
			expect(error).toMatchObject({ code: 'no-labels', message: expect.stringContaining('"nope"') })
		}))

	it('never follows an external link out of the file', () =>
		inTemporaryFolder(async (folder) => {
			const outside = join(folder, 'outside.h5')
			const path = join(folder, 'set.h5')
			await writeHdf5(outside, { data: { shape: SHAPE, data: Uint8Array.from(PIXELS), dtype: '<B' } })
			await ready
			const file = new File(path, 'w')
			file.create_external_link(outside, '/data', 'data')
			file.close()
			expect(await errorOf(() => openHdf5Images(path))).toMatchObject({ code: 'no-images' })
		}))

	it('never reads external storage', () =>
		inTemporaryFolder(async (folder) => {
			// h5py: create_dataset('data', (2, 3, 4, 4), dtype='u1', external=[('/etc/passwd', 0, 96)])
			const base64 =
				'H4sIAAAAAAACA+v0cHHj5ZLiYubgYICB/1DAzgThG0DFPz29au7v4RLEpNCyhCUbGVcwCSFrhAEuJgZGBgY2fgYgxZKSWJJ4GGaFKwN1wKTA5s1gJzEyMDK6MDAwsTAyQl3NwAylWdBoQvLMPAyMAgwgN4MABwMr0BfMXOwaQBvAoowM5yFSDBxorkmA0hzA0GBhhIUCTJQhhoGmoGFv7msPV8cAEFsCKgZ1KMN7RlS1+qklyfoFicXF5SlgPgDQKrfWBwIAAA=='
			const path = join(folder, 'set.h5')
			writeFileSync(path, gunzipSync(Buffer.from(base64, 'base64')))
			const error = await errorOf(() => openHdf5Images(path, { layout: 'NCHW' }))
			expect(error).toMatchObject({ code: 'corrupt-hdf5', message: expect.stringContaining('external raw data') })
		}))

	it('gives a set or an error raised on purpose for damaged files, and prints nothing', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'set.h5')
			const data = { shape: SHAPE, data: Uint8Array.from(PIXELS), dtype: '<B', chunks: [2, 3, 4, 6] }
			await writeHdf5(path, { data, label: LABELS })
			const sound = readFileSync(path)
			// Emscripten prints with `writeSync` of the CommonJS module, past `process.stderr`.
			const written = vi.spyOn(createRequire(import.meta.url)('node:fs'), 'writeSync')
			const place = fc.oneof(fc.nat(2047), fc.nat(sound.length - 1))
			const flips = fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 8 })
			const damage = fc.asyncProperty(flips, fc.double({ min: 0.2, max: 1.2, noNaN: true }), async (bits, share) => {
				const bytes = Buffer.from(sound)
				for (const [at, bit] of bits) bytes[at]! ^= 1 << bit
				writeFileSync(path, bytes.subarray(0, Math.min(1, share) * bytes.length))
				await errorOf(() => openHdf5Images(path))
			})
			await fc.assert(damage, { numRuns: 150 })
			expect(written.mock.calls.filter(([descriptor]) => descriptor === 2)).toEqual([])
			written.mockRestore()
		}))
})

describeShared('openHdf5Images on real files', () => {
	it('reads the same faces from channels first and channels last', async () => {
		const expected = { height: 55, width: 47, channels: 3 }
		const first = await openHdf5Images(sharedPath('data/faces/csaw_float64_nchw_sample.h5'), { expected })
		const last = await openHdf5Images(sharedPath('data/faces/csaw_float64_nhwc_sample.h5'), { expected })
		expect([first.layout, last.layout]).toEqual(['NCHW', 'NHWC'])
		expect(last.labels).toEqual(first.labels)
		const planar = await readAll(first)
		const interleaved = await readAll(last)
		const area = 55 * 47
		const transposed = interleaved.map((_, i) => {
			const [image, pixel, channel] = [Math.floor(i / (3 * area)), Math.floor(i / 3) % area, i % 3]
			return planar[(image * 3 + channel) * area + pixel]
		})
		expect(interleaved).toEqual(transposed)
		first.close()
		last.close()
	})

	it("reads the lab's float64 and float32 files and gzipped bytes", async () => {
		const files = [
			['csaw/mini_valid.h5', 52, 55, 47],
			['csaw/mini_bd.h5', 52, 55, 47],
			['data/gtsrb/gtsrb_train.h5', 5360, 32, 32],
		] as const
		for (const [file, count, height, width] of files) {
			const set = await openHdf5Images(sharedPath(file))
			expect(set).toMatchObject({ count, height, width, channels: 3, layout: 'NCHW' })
			let images = 0
			for await (const batch of set.batches(500)) images += batch.count
			expect(images).toBe(count)
			set.close()
		}
	})

	it('says that a Keras model is a model', async () => {
		for (const file of ['csaw/bd_weights.h5', 'csaw/model_B_2.h5']) {
			expect(await errorOf(() => openHdf5Images(sharedPath(file)))).toMatchObject({ code: 'model-not-data' })
		}
	})
})
