/**
 * Files beside the model's own: shards of a TF.js model, weights of an ONNX model kept outside. Their names come out of a stranger's file
 * and may lead nowhere but down from the folder of that file.
 */
import { FormatError, InputError } from '../errors.ts'

/** Protobuf's own limit for one message, and so ONNX' limit for a model in one file; what stands beside a model must fit into one, too. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1

/**
 * Reads the file `name` beside the model's own.
 * @param name checked by us: relative, without `..`, with `/` between folders
 * @param maxBytes to be compared with the file's size before anything is read
 * @throws InputError `file-missing`, FormatError `too-large`, `unsafe-path`
 */
export type ReadBeside = (name: string, maxBytes: number) => Promise<Uint8Array>

/** For a model that was handed over as the bytes of one file: there is nothing beside it. Throws `InputError` (`file-missing`). */
export function nothingBeside(path: string): ReadBeside {
	return (name) => Promise.reject(missingBeside(path, name))
}

/** The files called `names`, each read once, all of them together at most `maxBytes`. Throws as `ReadBeside` does. */
export async function readAllBeside(
	names: Iterable<string>,
	read: ReadBeside,
	path: string,
	maxBytes = MAX_MODEL_BYTES,
): Promise<Map<string, Uint8Array>> {
	const files = new Map<string, Uint8Array>()
	let left = maxBytes
	for (const name of new Set(names)) {
		checkName(name, path)
		const bytes = await read(name, left)
		left -= bytes.length
		files.set(name, bytes)
	}
	return files
}

/** The error for a file that is not there. */
export function missingBeside(path: string, name: string): InputError {
	const message = `${path}: expected the file ${name} beside it, which holds weights, found nothing there; put all files of the model into one folder`
	return new InputError('file-missing', message, { path })
}

/** The error for a name, or a link of that name, that leads out of the model's folder. */
export function unsafePath(path: string, name: string): FormatError {
	const message = `${path}: names the file ${JSON.stringify(name.slice(0, 100))} for its weights; expected one inside the model's own folder, and no link out of it`
	return new FormatError('unsafe-path', message, { path })
}

/** Absolute paths, drives, URLs, backslashes and `..` lead elsewhere, on one system or another. */
function checkName(name: string, path: string): void {
	const parts = name.split('/')
	const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL ends a file name for the operating system.
	if (!isPlain || /[\\:\u0000]/.test(name)) throw unsafePath(path, name)
}
