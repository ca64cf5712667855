/** The file in which a set's labels stand, where the user names it. */
import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { InputError } from '../errors.ts'

/**
 * The path of the labels file `name`: beside the images (in `folder`) if it is there, else from the current folder.
 * @throws InputError `no-labels` where it is in neither place
 */
export async function findLabelsFile(name: string, folder: string, path: string): Promise<string> {
	const places = isAbsolute(name) ? [name] : [join(folder, name), name]
	for (const place of places) if (await isFile(place)) return place
	const message = `${path}: expected the file "${name}" with labels, found it neither in ${folder} nor from here`
	throw new InputError('no-labels', message, { path })
}

export async function isFile(path: string): Promise<boolean> {
	return (await stat(path).catch(() => null))?.isFile() ?? false
}
