/** Writing files so that a reader never sees half of one, and reading them with an error that says what helps. */
import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { type GoodnetError, InputError, messageOf } from './errors.ts'

/**
 * Writes `content` under a temporary name beside `path`, then renames it.
 *
 * @throws InputError `exists` where the file is there and `force` is not set, `disk-full`, `not-writable`
 */
export async function writeFileWhole(
	path: string,
	content: Uint8Array | string,
	{ force = false } = {},
): Promise<void> {
	if (!force) await assertFree(path)
	const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`
	try {
		const file = await open(temporary, 'wx')
		try {
			await file.writeFile(content)
			await file.sync()
		} finally {
			await file.close()
		}
		await rename(temporary, path)
	} catch (error) {
		await rm(temporary, { force: true })
		throw writeError(path, error)
	}
}

/** The error for a failed write, told by the operating system's own code. */
export function writeError(path: string, error: unknown): GoodnetError {
	const code = (error as NodeJS.ErrnoException).code
	if (code === 'ENOSPC' || code === 'EDQUOT') {
		return new InputError('disk-full', `${path}: the disk is full; free some space or write elsewhere`, {
			path,
			cause: error,
		})
	}
	return new InputError('not-writable', `${path} cannot be written: ${messageOf(error)}`, { path, cause: error })
}

/**
 * Reads a whole file of at most `maxBytes`.
 * @throws InputError `not-found`, `not-a-file`, `too-large`
 */
export async function readFileWhole(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
	const info = await stat(path).catch((error: unknown) => {
		const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
		const found = isAbsent ? 'expected a file, found nothing there' : messageOf(error)
		throw new InputError('not-found', `${path} cannot be read: ${found}`, { path, cause: error })
	})
	if (!info.isFile()) throw new InputError('not-a-file', `${path}: expected a file, found a folder or device`, { path })
	if (info.size > maxBytes) {
		throw new InputError('too-large', `${path}: expected at most ${maxBytes} bytes, found ${info.size}`, { path })
	}
	const bytes = await readFile(path)
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Reads the file `name` inside `folder`, at most `maxBytes`; `absent` where there is none, `outside` where a link leads out of the folder.
 * @throws InputError `not-a-file`, `too-large`
 */
export async function readFileInside(
	folder: string,
	name: string,
	maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | 'absent' | 'outside'> {
	const path = join(folder, name)
	if (!(await exists(path))) return 'absent'
	const [root, place] = await Promise.all([realpath(folder), realpath(path)])
	if (!place.startsWith(root.endsWith(sep) ? root : root + sep)) return 'outside'
	return readFileWhole(path, maxBytes)
}

/**
 * Writes several files that belong together, in their order. None is written where one of them is there already and `force` is not set.
 *
 * @param contents path → content
 * @throws InputError `exists`, `disk-full`, `not-writable`
 */
export async function writeFilesWhole(
	contents: ReadonlyMap<string, Uint8Array | string>,
	{ force = false } = {},
): Promise<void> {
	for (const path of contents.keys()) if (!force) await assertFree(path)
	for (const [path, content] of contents) {
		await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
			throw writeError(path, error)
		})
		await writeFileWhole(path, content, { force })
	}
}

async function assertFree(path: string): Promise<void> {
	if (!(await exists(path))) return
	throw new InputError('exists', `${path} is there already; name another file, or add --force to overwrite it`, {
		path,
	})
}

export async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	)
}

/** SHA-256 of some contents in memory, one behind the other; hex. */
export function sha256Of(...contents: readonly (Uint8Array | string)[]): string {
	const hash = createHash('sha256')
	for (const content of contents) hash.update(content)
	return hash.digest('hex')
}
