/** A folder with one sub-folder per class, or a flat folder of unlabelled pictures. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { InputError } from '../errors.ts'
import { IMAGE_EXTENSIONS } from './decode.ts'
import { sha256OfFiles } from './hash.ts'
import { imageFileSet } from './image-file.ts'
import type { ImageSet } from './image-set.ts'
import { MAX_LABEL } from './labels.ts'
import type { OpenOptions } from './options.ts'

/** Pictures of one class. */
interface ClassFolder {
	readonly name: string
	/** Paths relative to the root, `/` between their parts, sorted. */
	readonly files: readonly string[]
}

/**
 * Opens the folder `path`. Each sub-folder is a class, numbered in alphabetical order; where all names are integers they are the labels
 * themselves (`00014` is 14). Without sub-folders the set has no labels. Hidden files and files that are not pictures by their
 * extension are passed over. Pictures are sorted by path.
 * @throws InputError `empty-set` without pictures, `outside-folder` on links that lead out of the folder, `duplicate-class` where two
 *   names are the same number, and as `imageFileSet` does
 */
export async function openFolder(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const root = await realpath(path)
	const classes = await readClasses(path, root)
	const folders = classes ?? [{ name: '', files: await listPictures(path, root, '') }]
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

/** The classes of a folder, in alphabetical order; null where it has no sub-folders. */
async function readClasses(path: string, root: string): Promise<ClassFolder[] | null> {
	const names = await listVisible(path, 'folders')
	if (names.length === 0) return null
	const classes: ClassFolder[] = []
	for (const name of names) classes.push({ name, files: await listPictures(path, root, name) })
	return classes
}

async function listPictures(path: string, root: string, folder: string): Promise<string[]> {
	await checkInside(path, root, folder)
	const names = await listVisible(join(path, folder), 'files')
	const pictures = names.filter((name) => IMAGE_EXTENSIONS.includes(extname(name).toLowerCase()))
	const files = pictures.map((name) => (folder === '' ? name : `${folder}/${name}`))
	for (const file of files) await checkInside(path, root, file)
	return files
}

async function listVisible(path: string, kind: 'files' | 'folders'): Promise<string[]> {
	const names: string[] = []
	for (const entry of await readdir(path, { withFileTypes: true })) {
		if (entry.name.startsWith('.')) continue
		// What a link leads to decides; whether it may be followed is checked before it is read.
		const found = entry.isSymbolicLink() ? await stat(join(path, entry.name)) : entry
		if (found.isDirectory() === (kind === 'folders')) names.push(entry.name)
	}
	return names.sort()
}

async function checkInside(path: string, root: string, relative: string): Promise<void> {
	const target = await realpath(join(path, relative))
	if (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep)) return
	const message = `${join(path, relative)}: expected files inside ${path}, found a link to ${target}; copy the file instead`
	throw new InputError('outside-folder', message, { path: join(path, relative) })
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
