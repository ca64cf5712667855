/** The files of a folder that the user named, none of which may lie outside it, and which of them are pictures. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { InputError } from '../errors.ts'
import { IMAGE_EXTENSIONS } from './decode.ts'

/** Sub-folders in sub-folders beyond this are refused: links can make a folder endless, and picture sets have two or three. */
const MAX_DEPTH = 16

export interface Tree {
	/** As the user named it. */
	readonly path: string
	/**
	 * Sees that `relative`, links followed, lies in the folder.
	 * @throws InputError `outside-folder`
	 */
	checkInside(relative: string): Promise<void>
}

export async function openTree(path: string): Promise<Tree> {
	const root = await realpath(path)
	const inside = root.endsWith(sep) ? root : root + sep
	return {
		path,
		async checkInside(relative) {
			const target = await realpath(join(path, relative))
			if (target === root || target.startsWith(inside)) return
			const message = `${join(path, relative)}: expected files inside ${path}, found one that leads to ${target}; copy the file instead`
			throw new InputError('outside-folder', message, { path: join(path, relative) })
		},
	}
}

/** Names in the folder `relative` of the tree, hidden ones left out, sorted. What a link leads to decides its kind. */
export async function listVisible(tree: Tree, relative: string, kind: 'files' | 'folders'): Promise<string[]> {
	const folder = join(tree.path, relative)
	const names: string[] = []
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		if (entry.name.startsWith('.')) continue
		// Whether a link may be followed is checked before it is read.
		const found = entry.isSymbolicLink() ? await stat(join(folder, entry.name)) : entry
		if (found.isDirectory() === (kind === 'folders')) names.push(entry.name)
	}
	return names.sort()
}

/**
 * The pictures in the folder `relative` alone, by their extension, as paths within the tree with `/` between their parts, sorted.
 * @throws InputError `outside-folder`
 */
export async function listPicturesIn(tree: Tree, relative: string): Promise<string[]> {
	await tree.checkInside(relative)
	const names = await listVisible(tree, relative, 'files')
	const pictures = names.filter((name) => IMAGE_EXTENSIONS.includes(extname(name).toLowerCase()))
	const files = pictures.map((name) => (relative === '' ? name : `${relative}/${name}`))
	for (const file of files) await tree.checkInside(file)
	return files
}

/**
 * The pictures of the tree at any depth, as `listPicturesIn` gives them.
 * @throws InputError `outside-folder`, `too-deep`
 */
export async function listPictures(tree: Tree, relative = '', depth = 0): Promise<string[]> {
	if (depth > MAX_DEPTH) {
		const message = `${join(tree.path, relative)}: expected at most ${MAX_DEPTH} folders in each other, found more; does a link lead back?`
		throw new InputError('too-deep', message, { path: tree.path })
	}
	const files = await listPicturesIn(tree, relative)
	for (const name of await listVisible(tree, relative, 'folders')) {
		const below = await listPictures(tree, relative === '' ? name : `${relative}/${name}`, depth + 1)
		for (const file of below) files.push(file)
	}
	return files
}
