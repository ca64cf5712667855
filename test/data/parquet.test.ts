import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { openImages } from '../../src/data/open.ts'
import { parquetParts } from '../../src/data/parquet.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { counting, errorOf, readAll } from './helpers.ts'

const FILES = fileURLToPath(new URL('../files/parquet/', import.meta.url))

interface Table {
	/** Encoded pictures; null for rows without. */
	readonly pictures: readonly (Uint8Array | null)[]
	readonly labels?: readonly (number | null)[]
	/** Default `image` and `label`. */
	readonly names?: readonly [string, string]
	readonly classNames?: unknown
	readonly rowGroupSize?: number
}

/** A Parquet file in the Hugging Face layout. */
function parquet({ pictures, labels, names = ['image', 'label'], classNames, rowGroupSize = 4 }: Table): Uint8Array {
	const [image, label] = names
	const note = {
		info: { features: { [image]: { _type: 'Image' }, [label]: { names: classNames, _type: 'ClassLabel' } } },
	}
	const writer = new ByteWriter()
	parquetWrite({
		writer,
		columnData: [
			{ name: image, data: pictures.map((bytes, i) => ({ bytes, path: `${i}.png` })) },
			...(labels ? [{ name: label, data: labels.map((value) => (value === null ? null : BigInt(value))) }] : []),
		],
		schema: [
			{ name: 'root', num_children: labels ? 2 : 1 },
			{ name: image, repetition_type: 'OPTIONAL', num_children: 2 },
			{ name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
			{ name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
			...(labels ? [{ name: label, type: 'INT64', repetition_type: 'OPTIONAL' } as const] : []),
		],
		rowGroupSize,
		kvMetadata: [{ key: 'huggingface', value: JSON.stringify(note) }],
	})
	return writer.getBytes()
}

/** A 2×2 picture of one grey level. */
function grey(level: number): Uint8Array {
	return Buffer.concat([Buffer.from('P5 2 2 255\n'), Buffer.alloc(4, level)])
}

const TABLE = { pictures: counting(10).map(grey), labels: counting(10).map((i) => i % 3) }

function withFile<T>(bytes: Uint8Array, body: (path: string) => Promise<T>): Promise<T> {
	return inTemporaryFolder((folder) => {
		const path = join(folder, 'x.parquet')
		writeFileSync(path, bytes)
		return body(path)
	})
}

describe('Parquet of pyarrow', () => {
	for (const file of readdirSync(FILES).filter((name) => name.endsWith('.parquet'))) {
		it(`reads ${file}`, async () => {
			const set = await openImages(FILES + file)
			const classNames = ['circle', 'square', 'triangle']
			expect(set).toMatchObject({ count: 12, height: 6, width: 6, channels: 3, layout: 'NHWC', classNames })
			expect([...set.labels!]).toEqual(counting(12).map((i) => i % 3))
			const pixels = counting(12).flatMap((k) => counting(108).map((i) => (37 * k + 5 * i) % 256))
			for (const size of [5, 7]) expect(await readAll(set, size)).toEqual(pixels)
			expect(await set.sha256()).toBe(
				createHash('sha256')
					.update(readFileSync(FILES + file))
					.digest('hex'),
			)
			set.close()
		})
	}
})

describe('openParquetImages', () => {
	it('finds the columns of CIFAR and others, or those that the path names', async () => {
		const pixels = counting(10).flatMap((i) => [i, i, i, i])
		for (const [names, suffix] of [
			[['img', 'fine_label'], ''],
			[['picture', 'y'], ''],
			[['picture', 'mine'], ':picture,mine'],
			[['image', 'mine'], ':,mine'],
		] as const) {
			await withFile(parquet({ ...TABLE, names }), async (path) => {
				const set = await openImages(path + suffix)
				expect(set).toMatchObject({ count: 10, channels: 1, classNames: null, imageNames: null })
				expect([...set.labels!]).toEqual(TABLE.labels)
				expect(await readAll(set, 3)).toEqual(pixels)
				set.close()
			})
		}
	})

	it('takes class names as a list or by number, and is unlabelled without a column', async () => {
		for (const classNames of [['a', 'b', 'c'], { 2: 'c', 0: 'a', 1: 'b' }]) {
			await withFile(parquet({ ...TABLE, classNames }), async (path) => {
				const set = await openImages(path)
				expect(set.classNames).toEqual(['a', 'b', 'c'])
				set.close()
			})
		}
		await withFile(parquet({ pictures: TABLE.pictures }), async (path) => {
			const set = await openImages(path)
			expect(set).toMatchObject({ count: 10, labels: null, classNames: null })
			set.close()
		})
	})

	it('reads the shards of one part of a folder in order', () =>
		inTemporaryFolder(async (folder) => {
			const write = (name: string, levels: number[]) =>
				writeFileSync(join(folder, name), parquet({ pictures: levels.map(grey), labels: levels }))
			write('train-00000-of-00002.parquet', [1, 2, 3, 4, 5])
			const error = await errorOf(() => openImages(folder))
			expect(error).toMatchObject({
				code: 'missing-shards',
				message: expect.stringMatching(/expected 2 files .*"train".* found 1/),
			})
			write('train-00001-of-00002.parquet', [6, 7])
			const alone = await openImages(folder)
			expect([...alone.labels!]).toEqual([1, 2, 3, 4, 5, 6, 7])
			for (const size of [1, 3, 64])
				expect(await readAll(alone, size)).toEqual([1, 2, 3, 4, 5, 6, 7].flatMap((i) => [i, i, i, i]))
			alone.close()
			write('test-00000-of-00001.parquet', [8])
			expect(await errorOf(() => openImages(folder))).toMatchObject({
				code: 'ambiguous-part',
				message: expect.stringMatching(
					/:test \(test-00000-of-00001\.parquet\) or .*:train \(train-00000-of-00002\.parquet and 1 more\)/,
				),
			})
			const test = await openImages(`${folder}:test,label`)
			expect([...test.labels!]).toEqual([8])
			test.close()
			const one = await openImages(join(folder, 'train-00001-of-00002.parquet'))
			expect([...one.labels!]).toEqual([6, 7])
			one.close()
		}))

	it('names the row and the file of a damaged picture, or one of another size', () =>
		inTemporaryFolder(async (folder) => {
			const other = Buffer.concat([Buffer.from('P5 3 2 255\n'), Buffer.alloc(6)])
			for (const [picture, code, message] of [
				[Buffer.from('no picture'), 'corrupt-image', /"image" in row 1 of .*b\.parquet: expected a sound picture/],
				[null, 'corrupt-image', /row 1 of .*b\.parquet: expected the bytes of a picture, found none/],
				[other, 'shape-mismatch', /row 1 of .*b\.parquet: expected 2×2 .* found 2×3; pass --resize/],
			] as const) {
				writeFileSync(join(folder, 'b.parquet'), parquet({ pictures: [grey(1), picture] }))
				const error = await errorOf(() => openImages(join(folder, 'b.parquet')))
				expect(error).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
			}
		}))

	it('names what is wrong with columns and labels', async () => {
		const cases: [Table, string, string, RegExp][] = [
			[TABLE, ':nope', 'no-images', /pictures in column "nope", found "image" \(picture\), "label" \(integer\)/],
			[TABLE, ':label', 'no-images', /column "label"/],
			[TABLE, ':image,image', 'no-labels', /integer labels in column "image"/],
			[{ ...TABLE, labels: counting(10).map((i) => i - 1) }, '', 'bad-label', /found -1 at image 0/],
			[{ ...TABLE, labels: [null, ...TABLE.labels.slice(1)] }, '', 'bad-label', /found NaN at image 0/],
		]
		for (const [table, suffix, code, message] of cases) {
			await withFile(parquet(table), async (path) => {
				const error = await errorOf(() => openImages(path + suffix))
				expect(error).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
			})
		}
	})

	it('names a truncated file, another one, an encrypted one', async () => {
		const sound = parquet(TABLE)
		const cases: [Uint8Array, string, RegExp][] = [
			[sound.subarray(0, sound.length - 9), 'corrupt-parquet', /no PAR1 at its end/],
			[sound.subarray(0, 10), 'corrupt-parquet', /a file of 10 bytes/],
			[sound.with(sound.length - 5, 0x7f), 'corrupt-parquet', /a footer of \d+ bytes in a file of/],
			[sound.with(sound.length - 1, 0x45), 'encrypted-parquet', /found an encrypted one/],
		]
		for (const [bytes, code, message] of cases) {
			await withFile(bytes, async (path) => {
				expect(await errorOf(() => openImages(path))).toMatchObject({
					code,
					exitCode: 3,
					message: expect.stringMatching(message),
				})
			})
		}
	})

	it(
		'gives a set or an error raised on purpose for damaged files of every codec',
		() =>
			inTemporaryFolder(async (folder) => {
				const path = join(folder, 'x.parquet')
				const files = readdirSync(FILES)
					.filter((name) => name.endsWith('.parquet'))
					.map((name) => readFileSync(FILES + name))
				const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
					minLength: 1,
					maxLength: 4,
				})
				const flipped = fc.tuple(fc.constantFrom(...files), edits).map(([file, changes]) => {
					const bytes = Uint8Array.from(file)
					for (const [at, byte] of changes) bytes[Math.floor(at * bytes.length)] = byte
					return bytes
				})
				const behindMagic = fc
					.uint8Array({ maxLength: 100 })
					.map((bytes) => Uint8Array.from([...Buffer.from('PAR1'), ...bytes, ...Buffer.from('PAR1')]))
				const property = fc.asyncProperty(fc.oneof(flipped, behindMagic), async (bytes) => {
					writeFileSync(path, bytes)
					await errorOf(() => openImages(path))
				})
				await fc.assert(property, { numRuns: 300 })
			}),
		60_000,
	)
})

describe('parquetParts', () => {
	it('groups shards by what stands before their numbers', () => {
		const names = ['validation.parquet', 'train-1-of-2.parquet', 'README.md', 'train-0-of-2.parquet', '.x.parquet']
		expect(parquetParts(names)).toEqual([
			{ name: 'train', files: ['train-0-of-2.parquet', 'train-1-of-2.parquet'] },
			{ name: 'validation', files: ['validation.parquet'] },
		])
		expect(parquetParts(['cat', 'dog'])).toEqual([])
	})
})

describeShared('Parquet of real pictures', () => {
	it('gives what the folder of the same JPEG and PNG files gives', async () => {
		const source = sharedPath('data/cifar10/imagefolder_sample/test')
		const byFolder = await openImages(source)
		const jpegs = byFolder.imageNames!.map((file) => readFileSync(file))
		const pngs = await Promise.all(jpegs.map((bytes) => sharp(bytes).png().toBuffer()))
		for (const pictures of [jpegs, pngs]) {
			const table = { pictures, labels: [...byFolder.labels!], classNames: byFolder.classNames, rowGroupSize: 64 }
			await withFile(parquet(table), async (path) => {
				const set = await openImages(path)
				expect(set).toMatchObject({ count: 200, classNames: byFolder.classNames })
				expect(set.labels).toEqual(byFolder.labels)
				expect(await readAll(set, 50)).toEqual(await readAll(byFolder, 50))
				set.close()
			})
		}
	})
})
