/** Pictures in a folder, flat or nested, with their labels in a CSV file. */
import { dirname, join, relative, sep } from 'node:path'
import { InputError } from '../errors.ts'
import { type LabelledFiles, readLabelledFiles } from './csv-labels.ts'
import { readCsv } from './csv-table.ts'
import { sha256OfFiles } from './hash.ts'
import { imageFileSet } from './image-file.ts'
import type { ImageSet } from './image-set.ts'
import { isFile } from './labels-file.ts'
import type { OpenOptions } from './options.ts'
import { listPictures, openTree, type Tree } from './tree.ts'

/** The CSV that a folder's labels are looked for in. */
export const LABELS_CSV = 'labels.csv'

/**
 * Opens the pictures that the CSV file `path` lists, whose names begin at the CSV's folder. `options.names` are its columns.
 * @throws InputError `missing-pictures`, with counts, `outside-folder`; and as `readCsv`, `readLabelledFiles` and `imageFileSet` do
 */
export async function openCsvImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const labelled = readLabelledFiles(await readCsv(path), path, options.names)
	return openLabelled(path, dirname(path), path, labelled, options)
}

/**
 * Opens the folder `path`, all of whose pictures, in sub-folders too, the CSV file `csv` lists. Their names begin at the folder.
 * @throws InputError `unlisted-pictures`, with counts, where a picture has no row; and as `openCsvImages` does
 */
export async function openCsvFolder(path: string, csv: string, options: OpenOptions = {}): Promise<ImageSet> {
	const labelled = readLabelledFiles(await readCsv(csv), csv)
	const pictures = await listPictures(await openTree(path))
	const listed = new Set(labelled.files.map(plainName))
	const unlisted = pictures.filter((picture) => !listed.has(picture))
	if (unlisted.length > 0) {
		const message = `${csv}: expected a row for each of the ${pictures.length} pictures in ${path}, found none for ${unlisted.length} of them, such as ${unlisted[0]}; add the rows, or name the CSV file itself to take just the pictures it lists`
		throw new InputError('unlisted-pictures', message, { path: csv })
	}
	return openLabelled(path, path, csv, labelled, options)
}

async function openLabelled(
	path: string,
	folder: string,
	csv: string,
	{ files, labels, classNames }: LabelledFiles,
	options: OpenOptions,
): Promise<ImageSet> {
	const names = files.map(plainName)
	await checkPresent(await openTree(folder), names, csv)
	const csvName = relative(folder, csv).split(sep).join('/')
	const sha256 = () => sha256OfFiles(folder, [...names, csvName])
	return imageFileSet({ path, files: names.map((name) => join(folder, name)), labels, classNames, sha256 }, options)
}

/** `./a.png` and `a.png` are the same file. */
function plainName(file: string): string {
	return file.replace(/^(\.\/+)+/, '')
}

async function checkPresent(tree: Tree, names: readonly string[], csv: string): Promise<void> {
	const missing: string[] = []
	for (const name of names) {
		if (await isFile(join(tree.path, name))) await tree.checkInside(name)
		else missing.push(name)
	}
	if (missing.length === 0) return
	const message = `${csv}: expected the files of its ${names.length} rows in ${tree.path}, found ${missing.length} of them missing, such as ${missing[0]}`
	throw new InputError('missing-pictures', message, { path: csv })
}
