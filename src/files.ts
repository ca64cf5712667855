/** Writing files so that a reader never sees half of one, and reading them with an error that says what helps. */
import { createHash, randomUUID } from 'node:crypto'
import { access, open, readFile, rename, rm, stat } from 'node:fs/promises'
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
	if (!force && (await exists(path))) {
		throw new InputError('exists', `${path} is there already; name another file, or add --force to overwrite it`, {
			path,
		})
	}
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

export async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	)
}

/** SHA-256 of some bytes in memory, hex. */
export function sha256Of(content: Uint8Array | string): string {
	return createHash('sha256').update(content).digest('hex')
}
