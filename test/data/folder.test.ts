import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { openFolder } from '../../src/data/folder.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { errorOf, readAll } from './helpers.ts'

/** A binary PPM of one colour. */
function ppm(width: number, height: number, rgb: readonly [number, number, number]): Uint8Array {
	const pixels = Array.from({ length: width * height }, () => rgb).flat()
	return Buffer.concat([Buffer.from(`P6\n# a comment\n${width} ${height}\n255\n`), Uint8Array.from(pixels)])
}

function write(folder: string, file: string, bytes: Uint8Array | string = ppm(2, 2, [1, 2, 3])): void {
	mkdirSync(dirname(join(folder, file)), { recursive: true })
	writeFileSync(join(folder, file), bytes)
}

describe('openFolder', () => {
	it('numbers classes alphabetically and passes over hidden files and other things', () =>
		inTemporaryFolder(async (folder) => {
			for (const file of ['dog/2.ppm', 'dog/1.PPM', 'cat/9.ppm', 'cat/.hidden.ppm', '.git/x.ppm']) write(folder, file)
			for (const file of ['README.md', 'dog/notes.txt', 'cat/labels.json']) write(folder, file, 'text')
			const set = await openFolder(folder)
			expect(set).toMatchObject({ count: 3, classNames: ['cat', 'dog'], layout: 'NHWC', channels: 3 })
			expect([...set.labels!]).toEqual([0, 1, 1])
		}))

	it('takes integer names as the labels themselves, without gaps closed', () =>
		inTemporaryFolder(async (folder) => {
			for (const file of ['00014/a.ppm', '2/a.ppm']) write(folder, file)
			const set = await openFolder(folder)
			expect([...set.labels!]).toEqual([14, 2])
			expect(set.classNames).toHaveLength(15)
			expect([set.classNames![14], set.classNames![2], set.classNames![3]]).toEqual(['00014', '2', '3'])
			write(folder, '02/a.ppm')
			expect(await errorOf(() => openFolder(folder))).toMatchObject({ code: 'duplicate-class' })
		}))

	it('is unlabelled without sub-folders', () =>
		inTemporaryFolder(async (folder) => {
			write(folder, 'a.ppm')
			expect(await openFolder(folder)).toMatchObject({ count: 1, labels: null, classNames: null })
		}))

	it('refuses an empty folder, and one whose pictures lie deeper', () =>
		inTemporaryFolder(async (folder) => {
			expect(await errorOf(() => openFolder(folder))).toMatchObject({ code: 'empty-set' })
			write(folder, 'train/cat/1.ppm')
			const error = await errorOf(() => openFolder(folder))
			expect(error).toMatchObject({ code: 'empty-set', message: expect.stringContaining('whose sub-folders are') })
		}))

	it('refuses links that lead out of the folder, to files and to folders, and follows those inside', () =>
		inTemporaryFolder(async (folder) => {
			write(folder, 'outside/secret.ppm')
			write(folder, 'set/cat/1.ppm')
			symlinkSync(join(folder, 'set/cat/1.ppm'), join(folder, 'set/cat/2.ppm'))
			expect(await openFolder(join(folder, 'set'))).toMatchObject({ count: 2 })
			for (const [target, link] of [
				['outside/secret.ppm', 'set/cat/3.ppm'],
				['outside', 'set/dog'],
			] as const) {
				symlinkSync(join(folder, target), join(folder, link))
				const error = await errorOf(() => openFolder(join(folder, 'set')))
				expect(error).toMatchObject({ code: 'outside-folder' })
				execFileSync('rm', [join(folder, link)])
			}
		}))

	it('names the picture whose size differs, and resizes where that is asked for', () =>
		inTemporaryFolder(async (folder) => {
			write(folder, 'a/1.ppm', ppm(4, 4, [9, 9, 9]))
			write(folder, 'a/2.ppm', ppm(6, 3, [7, 8, 9]))
			const error = await errorOf(() => openFolder(folder))
			expect(error).toMatchObject({
				code: 'shape-mismatch',
				message: expect.stringMatching(/2\.ppm.*4×4.*3×6.*--resize/),
			})
			const set = await openFolder(folder, { expected: { height: 4, width: 4, channels: 3 }, resize: true })
			expect((await readAll(set)).slice(48, 51)).toEqual([7, 8, 9])
		}))

	it('makes grey from colour by luma, and colour from grey by repeating', () =>
		inTemporaryFolder(async (folder) => {
			write(folder, 'a/1.ppm', ppm(1, 1, [10, 200, 30]))
			const expected = { height: 1, width: 1, channels: 1 }
			// Pillow: Image.new('RGB', (1, 1), (10, 200, 30)).convert('L')
			expect(await readAll(await openFolder(folder, { expected }))).toEqual([124])
			write(
				folder,
				'b/1.png',
				await sharp(Uint8Array.of(77), { raw: { width: 1, height: 1, channels: 1 } })
					.png()
					.toBuffer(),
			)
			const colour = await openFolder(folder, { expected: { ...expected, channels: 3 } })
			expect(await readAll(colour)).toEqual([10, 200, 30, 77, 77, 77])
		}))

	it('has the hash that a shell computes from the pictures', () =>
		inTemporaryFolder(async (folder) => {
			for (const file of ['b/1.ppm', 'a/2.ppm', 'a-b/3.ppm']) write(folder, file, ppm(1, 1, [file.length, 2, 3]))
			const shell = 'find . -name "*.ppm" -printf "%P\\n" | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64'
			const expected = execFileSync('sh', ['-c', shell], { cwd: folder }).toString().trim()
			expect(await (await openFolder(folder)).sha256()).toBe(expected)
		}))
})

describeShared('openFolder on real files', () => {
	it('reads JPEG, grey PNG and PPM folders', async () => {
		const jpeg = await openFolder(sharedPath('data/cifar10/imagefolder_sample/test'))
		expect(jpeg).toMatchObject({ count: 200, height: 32, width: 32, channels: 3 })
		expect(jpeg.classNames?.slice(0, 2)).toEqual(['airplane', 'automobile'])
		const png = await openFolder(sharedPath('data/yalefaces'))
		expect(png).toMatchObject({ count: 164, height: 122, width: 160, channels: 1 })
		const expected = { height: 32, width: 32, channels: 3 }
		const signs = await openFolder(sharedPath('data/gtsrb/imagefolder_sample'), { expected, resize: true })
		expect([...new Set(signs.labels)]).toEqual([1, 13, 14, 17, 35])
		for (const set of [jpeg, png, signs]) expect(await errorOf(async () => set)).toBeNull()
	})

	it('names the sign of zero bytes', async () => {
		const error = await errorOf(() => openFolder(sharedPath('data/malformed')))
		expect(error).toMatchObject({
			code: 'corrupt-image',
			message: expect.stringMatching(/gtsrb_zero_bytes\.ppm.*0 bytes/),
		})
	})
})
