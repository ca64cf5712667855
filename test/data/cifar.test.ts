import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openCifarFile, openCifarFolder } from '../../src/data/cifar.ts'
import { cifarFormat } from '../../src/data/cifar-format.ts'
import { openImages } from '../../src/data/open.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { cifar, counting, errorOf, readAll } from './helpers.ts'

function write(folder: string, file: string, bytes: Uint8Array | string): string {
	const path = join(folder, file)
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, bytes)
	return path
}

/** The pixels of record `i` as `cifar` writes them. */
function pixelsOf(i: number): number[] {
	return counting(3072).map((value) => (value + i) % 256)
}

describe('openCifarFile', () => {
	it('reads CIFAR-10 by the length of its records, with the names beside it', () =>
		inTemporaryFolder(async (folder) => {
			const path = write(folder, 'test_batch.bin', cifar([[7], [0], [9]]))
			const nameless = await openCifarFile(path)
			expect(nameless.classNames).toBeNull()
			nameless.close()
			const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
			write(folder, 'batches.meta.txt', `${names.join('\n')}\n\n`)
			const set = await openCifarFile(path)
			expect(set).toMatchObject({ count: 3, height: 32, width: 32, channels: 3, layout: 'NCHW', classNames: names })
			expect([...set.labels!]).toEqual([7, 0, 9])
			expect(await readAll(set, 2)).toEqual([0, 1, 2].flatMap(pixelsOf))
			expect(await set.sha256()).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))
			set.close()
		}))

	it('reads the fine labels of CIFAR-100, or the coarse ones where the path says so', () =>
		inTemporaryFolder(async (folder) => {
			const path = write(
				folder,
				'train.bin',
				cifar([
					[19, 99],
					[3, 40],
				]),
			)
			write(folder, 'coarse_label_names.txt', counting(20).join('\n'))
			for (const [name, labels, classes] of [
				[path, [99, 40], undefined],
				[`${path}:fine`, [99, 40], undefined],
				[`${path}:coarse`, [19, 3], 20],
			] as const) {
				const set = await openImages(name)
				expect([...set.labels!]).toEqual(labels)
				expect(set.classNames?.length).toBe(classes)
				expect(await readAll(set)).toEqual([0, 1].flatMap(pixelsOf))
				set.close()
			}
		}))

	it('names what is wrong with a file, and the way out', () =>
		inTemporaryFolder(async (folder) => {
			const cases: [string, Uint8Array, string, RegExp][] = [
				['cut.bin', cifar([[1], [2]]).subarray(0, 4000), 'corrupt-cifar', /3073 .* or 3074 .* found 4000 bytes/],
				['label.bin', cifar([[1], [10]]), 'bad-label', /0 to 9 \(CIFAR-10\), found 10 in record 1/],
				['fine.bin', cifar([[1, 100]]), 'bad-label', /0 to 99 \(CIFAR-100\), found 100 in record 0/],
				['coarse.bin:coarse', cifar([[20, 1]]), 'bad-label', /0 to 19/],
				['ten.bin:fine', cifar([[1]]), 'corrupt-cifar', /3074 bytes \(CIFAR-100\), found 3073/],
				['ten.bin:names', cifar([[1]]), 'no-labels', /label .* fine or coarse .* found "names"/],
				['empty.bin', new Uint8Array(), 'empty-set', /empty file/],
			]
			for (const [name, bytes, code, message] of cases) {
				const path = write(folder, name.split(':')[0]!, bytes)
				const error = await errorOf(() => openImages(name.includes(':') ? join(folder, name) : path))
				expect(error, name).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
			}
			const expected = { height: 28, width: 28, channels: 1 }
			const path = write(folder, 'x.bin', cifar([[1]]))
			expect(await errorOf(() => openCifarFile(path, { expected }))).toMatchObject({ code: 'shape-mismatch' })
			write(folder, 'batches.meta.txt', 'one\ntwo\n')
			const error = await errorOf(() => openCifarFile(path))
			expect(error).toMatchObject({ code: 'bad-class-names', message: expect.stringMatching(/10 classes.*found 2/) })
		}))

	it('tells a black airplane from an IDX file', () =>
		inTemporaryFolder(async (folder) => {
			const record = Uint8Array.of(0, 0, 8, 3, ...counting(3069))
			const set = await openImages(write(folder, 'x.bin', record))
			expect(set).toMatchObject({ channels: 3 })
			set.close()
		}))
})

describe('cifarFormat', () => {
	const BOTH = 3073 * 3074

	it('decides by name where both lengths fit, or asks', () =>
		inTemporaryFolder(async (folder) => {
			const path = (name: string) => join(folder, name)
			expect(cifarFormat(path('test_batch.bin'), BOTH, undefined).name).toBe('CIFAR-10')
			expect(cifarFormat(path('data_batch_3.bin'), BOTH, undefined).name).toBe('CIFAR-10')
			expect(cifarFormat(path('train.bin'), BOTH, undefined).name).toBe('CIFAR-100')
			expect(() => cifarFormat(path('x.bin'), BOTH, undefined)).toThrow(/x\.bin:label \(CIFAR-10\), :fine or :coarse/)
			expect(cifarFormat(path('x.bin'), BOTH, 'label').name).toBe('CIFAR-10')
			expect(cifarFormat(path('x.bin'), BOTH, 'coarse')).toMatchObject({ classes: 20, labelAt: 0 })
			write(folder, 'fine_label_names.txt', '')
			expect(cifarFormat(path('x.bin'), BOTH, undefined).name).toBe('CIFAR-100')
		}))
})

describe('openCifarFolder', () => {
	it('takes all batches in the order of their numbers, or the test file, as the path says', () =>
		inTemporaryFolder(async (folder) => {
			for (const [i, label] of [
				[10, 5],
				[2, 4],
				[1, 3],
			] as const)
				write(folder, `data_batch_${i}.bin`, cifar([[label], [label]]))
			const alone = await openImages(folder)
			expect([...alone.labels!]).toEqual([3, 3, 4, 4, 5, 5])
			alone.close()
			write(folder, 'test_batch.bin', cifar([[9]]))
			const error = await errorOf(() => openImages(folder))
			expect(error).toMatchObject({
				code: 'ambiguous-part',
				message: expect.stringMatching(/:train \(data_batch_1\.bin and 2 more\) or .*:test \(test_batch\.bin\)/),
			})
			const train = await openImages(`${folder}:train`)
			expect(train).toMatchObject({ path: folder, count: 6 })
			for (const size of [1, 3, 4]) expect(await readAll(train, size)).toEqual([0, 1, 0, 1, 0, 1].flatMap(pixelsOf))
			const test = await openImages(`${folder}:test`)
			expect([...test.labels!]).toEqual([9])
			expect(await test.sha256()).not.toBe(await train.sha256())
			for (const set of [train, test]) set.close()
			expect(await errorOf(() => openImages(`${folder}:valid`))).toMatchObject({ code: 'no-part' })
			write(folder, 'data_batch_3.bin', cifar([[1]]).subarray(1))
			expect(await errorOf(() => openCifarFolder(folder, { names: { images: 'train' } }))).toMatchObject({
				code: 'corrupt-cifar',
				message: expect.stringContaining('data_batch_3.bin'),
			})
		}))

	it('chooses part and labels of CIFAR-100 together', () =>
		inTemporaryFolder(async (folder) => {
			write(folder, 'train.bin', cifar([[2, 30]]))
			write(folder, 'test.bin', cifar([[4, 50]]))
			for (const [names, label] of [
				['test', 50],
				['test,coarse', 4],
				['train,fine', 30],
			] as const) {
				const set = await openImages(`${folder}:${names}`)
				expect([...set.labels!]).toEqual([label])
				set.close()
			}
		}))

	it('gives a set or an error raised on purpose for arbitrary bytes', () =>
		inTemporaryFolder(async (folder) => {
			const length = fc.constantFrom(0, 1, 3072, 3073, 3074, 6146, 6147, 6148)
			const property = fc.asyncProperty(length, fc.uint8Array({ maxLength: 8 }), async (size, head) => {
				const bytes = new Uint8Array(size)
				bytes.set(head.subarray(0, size))
				await errorOf(() => openImages(write(folder, 'x.bin', bytes)))
			})
			await fc.assert(property, { numRuns: 100 })
		}))
})

describeShared('CIFAR-10', () => {
	const folder = sharedPath('data/cifar10/cifar-10-batches-bin')

	it('reads both parts, and the pixels that the JPEG files decode to', async () => {
		const jpegs = await openImages(sharedPath('data/cifar10/imagefolder_sample/test'))
		const pictures = new Map<string, number>()
		for await (const { start, count, pixels } of jpegs.batches(50)) {
			for (let i = 0; i < count; i++) {
				const hash = createHash('sha256').update(planar(pixels.subarray(i * 3072, (i + 1) * 3072)))
				pictures.set(hash.digest('hex'), jpegs.labels![start + i]!)
			}
		}
		const set = await openImages(`${folder}:test`)
		expect(set).toMatchObject({ count: 1000, classNames: jpegs.classNames })
		let found = 0
		for await (const { start, count, pixels } of set.batches(64)) {
			for (let i = 0; i < count; i++) {
				const hash = createHash('sha256').update(pixels.subarray(i * 3072, (i + 1) * 3072))
				const label = pictures.get(hash.digest('hex'))
				if (label === undefined) continue
				found++
				expect(set.labels![start + i]).toBe(label)
			}
		}
		// A tenth of the 10,000 test pictures are records, and a fiftieth are sample files.
		expect(found).toBeGreaterThan(5)
	})
})

/** `[H, W, C]` → `[C, H, W]`. */
function planar(pixels: Uint8Array | Float32Array): Uint8Array {
	return Uint8Array.from(pixels, (_, i) => pixels[(i % 1024) * 3 + Math.floor(i / 1024)]!)
}
