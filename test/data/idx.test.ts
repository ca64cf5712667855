import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openIdxImages } from '../../src/data/idx.ts'
import type { ImageSet } from '../../src/data/image-set.ts'
import { openImages } from '../../src/data/open.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, describeWith, sharedPath } from '../helpers/shared.ts'
import { counting, errorOf, idx, readAll } from './helpers.ts'

const IMAGES = idx([4, 5, 6], counting(120))
const LABELS = idx([4], [3, 0, 1, 2])

/** Writes files to a fresh folder and lends a function that gives their paths. */
function withFiles<T>(
	files: Readonly<Record<string, Uint8Array>>,
	body: (path: (name: string) => string) => Promise<T>,
): Promise<T> {
	return inTemporaryFolder((folder) => {
		const path = (name: string) => join(folder, name)
		for (const [name, bytes] of Object.entries(files)) writeFileSync(path(name), bytes)
		return body(path)
	})
}

async function closing<T>(set: ImageSet, use: (set: ImageSet) => T | Promise<T>): Promise<T> {
	try {
		return await use(set)
	} finally {
		set.close()
	}
}

describe('openIdxImages', () => {
	it('reads images with the labels that lie beside them, gzipped or not', async () => {
		for (const [images, labels] of [
			['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'],
			['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
			['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte'],
			['train-images.idx3-ubyte', 'train-labels.idx1-ubyte.gz'],
			['images-idx3-ubyte', 'labels-idx1-ubyte'],
		] as const) {
			const file = (name: string, bytes: Uint8Array) => ({ [name]: name.endsWith('.gz') ? gzipSync(bytes) : bytes })
			await withFiles({ ...file(images, IMAGES), ...file(labels, LABELS) }, async (path) => {
				await closing(await openIdxImages(path(images)), async (set) => {
					expect(set).toMatchObject({ count: 4, height: 5, width: 6, channels: 1, layout: 'NHWC', imageNames: null })
					expect([...set.labels!]).toEqual([3, 0, 1, 2])
					expect(await readAll(set, 3)).toEqual(counting(120))
					// A second pass begins a gzip file anew.
					expect(await readAll(set, 1)).toEqual(counting(120))
				})
			})
		}
	})

	it('takes the labels file that the path names, beside the images', () =>
		withFiles({ 'x.idx': IMAGES, 'y.gz': gzipSync(LABELS) }, async (path) => {
			await closing(await openImages(path('x.idx')), (set) => expect(set.labels).toBeNull())
			await closing(await openImages(`${path('x.idx')}:y.gz`), (set) => expect([...set.labels!]).toEqual([3, 0, 1, 2]))
			await closing(await openImages(`${path('x.idx')}:${path('y.gz')}`), (set) => expect(set.labels).toHaveLength(4))
			const error = await errorOf(() => openImages(`${path('x.idx')}:z.gz`))
			expect(error).toMatchObject({ code: 'no-labels', message: expect.stringContaining('the file "z.gz"') })
		}))

	it('reads colours and rows of values as the model expects them', () =>
		withFiles({ a: idx([2, 3, 4, 5], counting(120)), b: idx([2, 30], counting(60)) }, async (path) => {
			await closing(await openIdxImages(path('a')), (set) => expect(set).toMatchObject({ layout: 'NCHW', width: 5 }))
			const grey = { height: 5, width: 6, channels: 1 }
			await closing(await openIdxImages(path('b'), { expected: grey }), (set) => expect(set).toMatchObject(grey))
			const colour = { height: 5, width: 2, channels: 3 }
			const error = await errorOf(() => openIdxImages(path('b'), { expected: colour }))
			expect(error).toMatchObject({ code: 'ambiguous-layout', message: expect.stringContaining('--layout') })
			await closing(await openIdxImages(path('b'), { expected: colour, layout: 'NHWC' }), (set) =>
				expect(set).toMatchObject({ ...colour, layout: 'NHWC' }),
			)
			expect(await errorOf(() => openIdxImages(path('b')))).toMatchObject({ code: 'shape-mismatch' })
		}))

	it('has the hash of the one file, or of the listing of both', () =>
		withFiles({ 'images-idx3-ubyte': IMAGES, 'other.idx': IMAGES, 'labels-idx1-ubyte': LABELS }, async (path) => {
			const hash = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex')
			const alone = await openIdxImages(path('other.idx'))
			expect(await alone.sha256()).toBe(hash(IMAGES))
			const both = await openIdxImages(path('images-idx3-ubyte'))
			expect(await both.sha256()).toBe(hash(`${hash(IMAGES)}  images-idx3-ubyte\n${hash(LABELS)}  labels-idx1-ubyte\n`))
			for (const set of [alone, both]) set.close()
		}))

	it('names what is wrong with a file, and the way out', () =>
		withFiles({}, async (path) => {
			const cases: [string, Uint8Array, string, RegExp][] = [
				[
					'short',
					IMAGES.subarray(0, 100),
					'truncated-file',
					/expected 136 bytes as its header \[4, 5, 6\] says, found 100/,
				],
				['long', Uint8Array.from([...IMAGES, 0]), 'truncated-file', /found 137/],
				['header', IMAGES.subarray(0, 9), 'corrupt-idx', /header of 16 bytes, found 9/],
				['magic', Uint8Array.of(1, 2, 3, 4), 'corrupt-idx', /bytes 01 02 03 04/],
				['float', idx([1, 1, 1], [0, 0, 0, 0], 13), 'unsupported-dtype', /expected uint8 .* found float32/],
				['deep', idx([1, 1, 1, 1, 1], [0]), 'too-many-dims', /found 5/],
				['none', idx([0, 5, 6], []), 'empty-set', /found none/],
				['flat', idx([4, 0, 6], []), 'image-too-large', /found 0×6×1/],
				['huge', idx([4294967295, 4294967295, 4294967295], []), 'truncated-file', /found 16/],
				['labels-idx1-ubyte', LABELS, 'labels-not-images', /a labels file; name the images, .*images-idx3-ubyte$/],
				['cut.gz', gzipSync(IMAGES).subarray(0, 60), 'corrupt-gzip', /truncated or damaged/],
				['short.gz', gzipSync(IMAGES.subarray(0, 100)), 'truncated-file', /expected 136 .* found 100/],
				['long.gz', gzipSync(Uint8Array.from([...IMAGES, 0])), 'truncated-file', /found more/],
				['huge.gz', gzipSync(idx([100000, 1000, 1000], [])), 'truncated-file', /cannot hold them/],
				['text.gz', gzipSync('hello, this is no IDX file'), 'corrupt-idx', /unpack archives first/],
				['noise.gz', Uint8Array.of(0x1f, 0x8b, 9, 9, 9, 9), 'corrupt-gzip', /truncated or damaged/],
			]
			for (const [name, bytes, code, message] of cases) {
				writeFileSync(path(name), bytes)
				const error = await errorOf(() => openIdxImages(path(name)))
				expect(error, name).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
				expect(error?.message).toContain(path(name))
			}
		}))

	it('leaves a gzip bomb at the first byte too many', () =>
		withFiles({ 'bomb.gz': gzipSync(Buffer.concat([IMAGES, Buffer.alloc(2 ** 28)])) }, async (path) => {
			const before = process.memoryUsage().rss
			expect(await errorOf(() => openIdxImages(path('bomb.gz')))).toMatchObject({ code: 'truncated-file' })
			expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 26)
		}))

	it('finds damage inside a gzip file by its checksum, before any batch', () =>
		withFiles({ 'x.gz': gzipSync(IMAGES, { level: 0 }) }, async (path) => {
			const bytes = Uint8Array.from(readFileSync(path('x.gz')))
			bytes[60]! ^= 1
			writeFileSync(path('x.gz'), bytes)
			const error = await errorOf(() => openIdxImages(path('x.gz')))
			expect(error).toMatchObject({ code: 'corrupt-gzip', message: expect.stringContaining('incorrect data check') })
		}))

	it('names labels that do not fit the images', () =>
		withFiles({ 'images-idx3-ubyte': IMAGES }, async (path) => {
			for (const [labels, message] of [
				[idx([3], [0, 0, 0]), /expected one label per image \(4\), found \[3\]/],
				[idx([4, 1, 1], [0, 0, 0, 0]), /found \[4, 1, 1\]/],
			] as const) {
				writeFileSync(path('labels-idx1-ubyte'), labels)
				const error = await errorOf(() => openIdxImages(path('images-idx3-ubyte')))
				expect(error).toMatchObject({ code: 'label-count', message: expect.stringMatching(message) })
			}
		}))

	it('reads back what was written, whatever the shape, the batch and the packing', () =>
		withFiles({}, async (path) => {
			const size = fc.integer({ min: 1, max: 5 })
			const property = fc.asyncProperty(size, size, size, size, fc.boolean(), async (n, h, w, batch, packed) => {
				const bytes = idx([n, h, w], counting(n * h * w))
				writeFileSync(path('x'), packed ? gzipSync(bytes) : bytes)
				await closing(await openIdxImages(path('x')), async (set) => {
					expect(set).toMatchObject({ count: n, height: h, width: w })
					expect(await readAll(set, batch)).toEqual(counting(n * h * w))
				})
			})
			await fc.assert(property, { numRuns: 60 })
		}))

	it('gives a set or an error raised on purpose for arbitrary bytes behind the magic', () =>
		withFiles({}, async (path) => {
			const tail = fc.uint8Array({ maxLength: 60 })
			const plain = fc
				.tuple(fc.constantFrom(8, 9, 13), fc.nat(6), tail)
				.map(([type, dims, rest]) => Uint8Array.of(0, 0, type, dims, ...rest))
			const small = fc
				.tuple(fc.nat(3), fc.nat(3), tail)
				.map(([h, w, rest]) => Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, h, 0, 0, 0, w, ...rest))
			const packed = fc.oneof(plain, small).map((bytes) => Uint8Array.from(gzipSync(bytes)))
			const broken = fc
				.tuple(packed, fc.nat(40), fc.nat(255))
				.map(([bytes, at, value]) => bytes.with(at % bytes.length, value))
			const property = fc.asyncProperty(fc.oneof(plain, small, packed, broken), async (bytes) => {
				writeFileSync(path('x'), bytes)
				await errorOf(() => openIdxImages(path('x')))
			})
			await fc.assert(property, { numRuns: 300 })
		}))
})

/** Each real set against its bytes, inflated and cut up here. */
async function checkReal(images: string, labels: string, count: number): Promise<void> {
	const set = await openImages(images)
	expect(set).toMatchObject({ count, height: 28, width: 28, channels: 1 })
	expect(Buffer.compare(Buffer.from(Uint8Array.from(set.labels!)), gunzipSync(readFileSync(labels)).subarray(8))).toBe(
		0,
	)
	const pixels = gunzipSync(readFileSync(images)).subarray(16)
	for await (const batch of set.batches(1000)) {
		const expected = pixels.subarray(batch.start * 784, (batch.start + batch.count) * 784)
		expect(Buffer.compare(Buffer.from(batch.pixels as Uint8Array), expected)).toBe(0)
	}
	set.close()
}

describeShared('MNIST', () => {
	it('reads the original test set', async () => {
		const path = (what: string) => sharedPath(`data/mnist/t10k-${what}-ubyte.gz`)
		await checkReal(path('images-idx3'), path('labels-idx1'), 10_000)
	})
})

const FASHION = '/usr/share/datasets/fashion-mnist/'

describeWith(FASHION, 'Fashion-MNIST of Debian\u2019s dataset-fashion-mnist', () => {
	it('reads test and training set', async () => {
		for (const [part, count] of [
			['t10k', 10_000],
			['train', 60_000],
		] as const) {
			const path = (what: string) => `${FASHION}${part}-${what}-ubyte.gz`
			await checkReal(path('images-idx3'), path('labels-idx1'), count)
		}
	})
})
