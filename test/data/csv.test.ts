import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLabelledFiles } from '../../src/data/csv-labels.ts'
import { readCsv } from '../../src/data/csv-table.ts'
import { openImages } from '../../src/data/open.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { errorOf, readAll } from './helpers.ts'

/** A folder of 1×1 pictures, each of one grey level, and whatever else is to lie there. */
function withPictures<T>(
	pictures: Readonly<Record<string, number>>,
	texts: Readonly<Record<string, string>>,
	body: (folder: string) => Promise<T>,
): Promise<T> {
	return inTemporaryFolder((folder) => {
		const write = (file: string, content: string | Uint8Array) => {
			mkdirSync(dirname(join(folder, file)), { recursive: true })
			writeFileSync(join(folder, file), content)
		}
		for (const [file, grey] of Object.entries(pictures)) {
			write(file, Buffer.concat([Buffer.from('P5 1 1 255\n'), Buffer.of(grey)]))
		}
		for (const [file, text] of Object.entries(texts)) write(file, text)
		return body(folder)
	})
}

/** What `path` opens as: `[grey level, label]` of each picture. */
async function read(path: string): Promise<{ pairs: number[][]; classNames: readonly string[] | null }> {
	const set = await openImages(path)
	const pixels = await readAll(set)
	return { pairs: pixels.map((pixel, i) => [pixel, set.labels![i]!]), classNames: set.classNames }
}

const PICTURES = { 'a.pgm': 10, 'b.pgm': 20, 'c.pgm': 30 }

describe('labels in a CSV', () => {
	it('finds the columns by their headers, whatever their order and spelling', async () => {
		for (const csv of [
			'filename,label\na.pgm,2\nb.pgm,0\nc.pgm,1\n',
			'\ufeffimage,class\r\na.pgm,2\r\nb.pgm,0\r\nc.pgm,1\r\n',
			'Class_ID;Width;Image Path\n2;1;a.pgm\n0;1;b.pgm\n1;1;c.pgm',
			'label,"file"\n2,"./a.pgm"\n0,b.pgm\n"1", c.pgm\n\n',
			'Path\ttarget\na.pgm\t2.0\nb.pgm\t0.0\nc.pgm\t1.0\n',
			'file_name,breed\na.pgm,2\nb.pgm,0\nc.pgm,1\n',
			'a.pgm,2\nb.pgm,0\nc.pgm,1\n',
		]) {
			await withPictures(PICTURES, { 'labels.csv': csv }, async (folder) => {
				expect((await read(folder)).pairs, csv).toEqual([
					[10, 2],
					[20, 0],
					[30, 1],
				])
			})
		}
	})

	it('reads the list of the GTSRB challenge, with its regions of interest', () =>
		withPictures(
			{ '00000.ppm': 1, '00001.ppm': 2 },
			{
				'GT-final_test.csv':
					'Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n00000.ppm;53;54;6;5;48;49;16\r\n00001.ppm;42;45;5;5;36;40;1\r\n',
			},
			async (folder) => {
				const expected = {
					pairs: [
						[1, 16],
						[2, 1],
					],
					classNames: null,
				}
				expect(await read(`${folder}:GT-final_test.csv`)).toEqual(expected)
				expect(await read(join(folder, 'GT-final_test.csv'))).toEqual(expected)
			},
		))

	it('numbers class names alphabetically, quoted ones with separators and line breaks too', () =>
		withPictures(
			PICTURES,
			{ 'labels.csv': 'file,label\na.pgm,"stop, now"\nb.pgm,"give ""way"""\nc.pgm,"stop, now"\n' },
			async (folder) => {
				expect(await read(folder)).toEqual({
					pairs: [
						[10, 1],
						[20, 0],
						[30, 1],
					],
					classNames: ['give "way"', 'stop, now'],
				})
			},
		))

	it('takes the columns that the path names', () =>
		withPictures(PICTURES, { 'x.csv': 'n,file,label,mine\n1,a.pgm,0,5\n' }, async (folder) => {
			expect((await read(`${join(folder, 'x.csv')}:,mine`)).pairs).toEqual([[10, 5]])
			expect((await read(`${join(folder, 'x.csv')}:file,n`)).pairs).toEqual([[10, 1]])
			const error = await errorOf(() => openImages(`${join(folder, 'x.csv')}:file,nope`))
			expect(error).toMatchObject({ code: 'no-column', message: expect.stringContaining('"n", "file"') })
		}))

	it('reads nested folders, has the names of the files and the hash of list and pictures', () =>
		withPictures(
			{ 'train/x/1.pgm': 1, 'test/2.pgm': 2 },
			{ 'labels.csv': 'path,label\ntrain/x/1.pgm,1\ntest\\2.pgm,0\n' },
			async (folder) => {
				const set = await openImages(folder)
				expect(set.imageNames).toEqual([join(folder, 'train/x/1.pgm'), join(folder, 'test/2.pgm')])
				const shell = 'find . -type f -printf "%P\\n" | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64'
				expect(await set.sha256()).toBe(execFileSync('sh', ['-c', shell], { cwd: folder }).toString().trim())
			},
		))

	it('counts pictures without a row and rows without a picture, and takes the rows alone where the CSV is named', () =>
		withPictures(
			PICTURES,
			{ 'labels.csv': 'file,label\nb.pgm,0\n', 'more.csv': 'file,label\nb.pgm,0\nd.pgm,1\ne.pgm,1\n' },
			async (folder) => {
				expect(await errorOf(() => openImages(folder))).toMatchObject({
					code: 'unlisted-pictures',
					exitCode: 3,
					message: expect.stringMatching(
						/each of the 3 pictures .* none for 2 of them, such as a\.pgm; .*CSV file itself/,
					),
				})
				expect((await read(join(folder, 'labels.csv'))).pairs).toEqual([[20, 0]])
				expect(await errorOf(() => openImages(join(folder, 'more.csv')))).toMatchObject({
					code: 'missing-pictures',
					message: expect.stringMatching(/its 3 rows .* found 2 of them missing, such as d\.pgm/),
				})
			},
		))

	it('leaves a labels.csv alone that only lists the classes of sub-folders', () =>
		withPictures(
			{ 'cat/1.pgm': 1, 'dog/2.pgm': 2 },
			{ 'labels.csv': 'ClassId,Name\n0,cat\n1,dog\n' },
			async (folder) => {
				expect(await read(folder)).toMatchObject({ classNames: ['cat', 'dog'] })
			},
		))

	it('stays inside the folder', () =>
		inTemporaryFolder(async (outside) => {
			writeFileSync(join(outside, 'secret.pgm'), 'P5 1 1 255\nx')
			await withPictures(PICTURES, {}, async (folder) => {
				symlinkSync(join(outside, 'secret.pgm'), join(folder, 'link.pgm'))
				const up = join('..', outside.split('/').at(-1)!, 'secret.pgm')
				for (const name of [up, 'link.pgm']) {
					writeFileSync(join(folder, 'list.csv'), `file,label\n${name},0\n`)
					const error = await errorOf(() => openImages(join(folder, 'list.csv')))
					expect(error).toMatchObject({ code: 'outside-folder' })
				}
				writeFileSync(join(folder, 'list.csv'), `file,label\n${join(outside, 'secret.pgm')},0\n`)
				expect(await errorOf(() => openImages(join(folder, 'list.csv')))).toMatchObject({ code: 'missing-pictures' })
			})
		}))

	it('names what is wrong with a file', () =>
		withPictures(PICTURES, {}, async (folder) => {
			const cases: [string, string, RegExp][] = [
				['', 'empty-set', /found none/],
				['file,label\n', 'empty-set', /under its header/],
				['file,label\na.pgm,-1\n', 'bad-label', /found -1/],
				['file,label\na.pgm,1.5\n', 'bad-label', /found 1\.5/],
				['file,label\na.pgm,\n', 'bad-label', /found none for picture 0/],
				['file,label\na.pgm,1\na.pgm,2\n', 'duplicate-row', /two for a\.pgm/],
				['file,label\na.pgm,"1\n', 'corrupt-csv', /[Qq]uote/],
				['file,label\na.pgm,1,2\n', 'corrupt-csv', /line 2/],
				['file,width,height\na.pgm,1,2\n', 'no-column', /column of labels, found "file", "width", "height"/],
				['name,number\nx,1\n', 'no-column', /column of file names/],
				['a.pgm\nb.pgm\n', 'no-column', /column of labels/],
			]
			for (const [text, code, message] of cases) {
				const path = join(folder, 'x.csv')
				writeFileSync(path, text)
				const error = await errorOf(() => openImages(path))
				expect(error, text).toMatchObject({ code, exitCode: 3, message: expect.stringMatching(message) })
				expect(error?.message).toContain(path)
			}
			expect(await errorOf(() => openImages(`${folder}:absent.csv`))).toMatchObject({ code: 'no-labels' })
		}))

	it('reads back what was written, whatever names, labels, separator and quotes', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'x.csv')
			const name = fc.stringMatching(/^[A-Za-z0-9;, "\u00e9]*[A-Za-z0-9]$/).filter((text) => text.trim() === text)
			const rows = fc.uniqueArray(fc.tuple(name, fc.nat(99)), { minLength: 1, selector: ([file]) => file })
			const property = fc.asyncProperty(rows, fc.constantFrom(',', ';', '\t'), async (pairs, separator) => {
				const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
				const lines = pairs.map(([file, label]) => quoted(file) + separator + label)
				writeFileSync(path, [`file${separator}label`, ...lines].join('\n'))
				const { files, labels } = readLabelledFiles(await readCsv(path), path)
				expect(files.map((file, i) => [file, labels[i]])).toEqual(pairs)
			})
			await fc.assert(property, { numRuns: 100 })
		}))

	it('gives a set or an error raised on purpose for arbitrary text', () =>
		withPictures(PICTURES, {}, async (folder) => {
			const cell = fc.constantFrom(
				'file',
				'label',
				'a.pgm',
				'b.pgm',
				'../x',
				'"',
				',',
				';',
				'\n',
				'\r\n',
				'1',
				'-1',
				'\0',
				'\ufeff',
			)
			const text = fc.oneof(
				fc.string(),
				fc.array(cell).map((cells) => cells.join('')),
			)
			const property = fc.asyncProperty(text, async (content) => {
				writeFileSync(join(folder, 'x.csv'), content)
				await errorOf(() => openImages(join(folder, 'x.csv')))
			})
			await fc.assert(property, { numRuns: 300 })
		}))
})

describeShared('GTSRB', () => {
	it('reads the sub-folders by a list as it reads them by their names', async () => {
		const source = sharedPath('data/gtsrb/imagefolder_sample')
		const expected = { height: 32, width: 32, channels: 3 }
		const byFolder = await openImages(source, { expected, resize: true })
		await inTemporaryFolder(async (folder) => {
			// A list may name nothing outside its folder, so the pictures are copied there.
			const files = readdirSync(source).flatMap((name) =>
				readdirSync(join(source, name)).map((file) => `${name}/${file}`),
			)
			for (const file of files) {
				mkdirSync(dirname(join(folder, file)), { recursive: true })
				execFileSync('cp', [join(source, file), join(folder, file)])
			}
			const rows = files.map((file) => `${file};${Number(dirname(file))}`)
			writeFileSync(join(folder, 'labels.csv'), ['Filename;ClassId', ...rows].join('\n'))
			const byList = await openImages(folder, { expected, resize: true })
			expect(byList.labels).toEqual(byFolder.labels)
			expect(await readAll(byList)).toEqual(await readAll(byFolder))
		})
	})
})
