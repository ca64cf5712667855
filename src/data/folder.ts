/** A folder with one sub-folder per class, one with a CSV of labels, or a flat folder of unlabelled pictures. */
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { LABELS_CSV, openCsvFolder } from './csv.ts'
import { isLabelsTable } from './csv-labels.ts'
import { readCsv } from './csv-table.ts'
import { IMAGE_EXTENSIONS } from './decode.ts'
import { sha256OfFiles } from './hash.ts'
import { imageFileSet } from './image-file.ts'
import type { ImageSet } from './image-set.ts'
import { MAX_LABEL } from './labels.ts'
import { findLabelsFile, isFile } from './labels-file.ts'
import type { OpenOptions } from './options.ts'
import { listPicturesIn, listVisible, openTree, type Tree } from './tree.ts'

/** Pictures of one class. */
interface ClassFolder {
	readonly name: string
	/** Paths relative to the root, `/` between their parts, sorted. */
	readonly files: readonly string[]
}

/**
 * Opens the folder `path`. Labels come from the CSV file that `options.names.labels` names, or from `labels.csv` in the folder where that lists
 * pictures. Without one each sub-folder is a class, numbered in alphabetical order; where all names are integers they are the labels
 * themselves (`00014` is 14). Without either the set has no labels. Hidden files and files that are not pictures by their
 * extension are passed over. Pictures are sorted by path.
 * @throws InputError `empty-set` without pictures, `outside-folder` on links that lead out of the folder, `duplicate-class` where two
 *   names are the same number, and as `openCsvFolder` and `imageFileSet` do
 */
export async function openFolder(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const csv = await findCsv(path, options.names?.labels)
	if (csv !== null) return openCsvFolder(path, csv, options)
	const tree = await openTree(path)
	const classes = await readClasses(tree)
	const folders = classes ?? [{ name: '', files: await listPicturesIn(tree, '') }]
	const files = folders.flatMap((folder) => folder.files)
	if (files.length === 0) {
		const wayOut = classes
			? 'name the folder whose sub-folders are the classes'
			: 'name a folder with one sub-folder per class'
		const message = `${path}: expected pictures (${IMAGE_EXTENSIONS.join(', ')}), found none; ${wayOut}`
		throw new InputError('empty-set', message, { path })
	}
	const numbers = classes && classNumbers(classes, path)
	return imageFileSet(
		{
			path,
			files: files.map((file) => join(path, file)),
			labels: numbers && Int32Array.from(folders.flatMap((folder, i) => folder.files.map(() => numbers[i]!))),
			classNames: classes && numbers && namesByNumber(classes, numbers),
			sha256: () => sha256OfFiles(path, files),
		},
		options,
	)
}

/** The CSV file with the labels; null where none is named and the folder has none. */
async function findCsv(path: string, named: string | undefined): Promise<string | null> {
	if (named !== undefined) return findLabelsFile(named, path, path)
	const usual = join(path, LABELS_CSV)
	// Folders with a sub-folder per class may list the names of their classes in a file called so.
	return (await isFile(usual)) && isLabelsTable(await readCsv(usual)) ? usual : null
}

/** The classes of a folder, in alphabetical order; null where it has no sub-folders. */
async function readClasses(tree: Tree): Promise<ClassFolder[] | null> {
	const names = await listVisible(tree, '', 'folders')
	if (names.length === 0) return null
	const classes: ClassFolder[] = []
	for (const name of names) classes.push({ name, files: await listPicturesIn(tree, name) })
	return classes
}

/** The label of each class folder. */
function classNumbers(classes: readonly ClassFolder[], path: string): number[] {
	if (!classes.every(({ name }) => /^\d{1,9}$/.test(name))) return classes.map((_, i) => i)
	const numbers = classes.map(({ name }) => Number(name))
	const twice = classes.find((_, i) => numbers.indexOf(numbers[i]!) !== i)
	if (twice) {
		const message = `${path}: expected one sub-folder per class, found two for class ${Number(twice.name)}, one of them "${twice.name}"`
		throw new InputError('duplicate-class', message, { path })
	}
	const absurd = numbers.find((number) => number > MAX_LABEL)
	if (absurd !== undefined) {
		throw new InputError('bad-label', `${path}: expected classes from 0 to ${MAX_LABEL}, found ${absurd}`, { path })
	}
	return numbers
}

/** Names by label; a label without a folder is named by its number. */
function namesByNumber(classes: readonly ClassFolder[], numbers: readonly number[]): string[] {
	const names = Array.from({ length: Math.max(...numbers) + 1 }, (_, label) => String(label))
	for (const [i, { name }] of classes.entries()) names[numbers[i]!] = name
	return names
}
