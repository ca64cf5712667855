/** Bytes of a file by position, whether it lies there plain or gzipped. */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { FormatError, messageOf } from '../errors.ts'

/** The first bytes of a gzip file (RFC 1952, section 2.3.1). */
export const GZIP_SIGNATURE = Uint8Array.of(0x1f, 0x8b)

/**
 * Deflate cannot do better than 1032 : 1, so whatever claims to inflate to more than this many times its own bytes is not real.
 * Source: zlib's technical details, "Maximum Compression Factor".
 */
export const MAX_COMPRESSION = 1032

export interface ByteSource {
	/**
	 * Fills `target` with the bytes from `position` on.
	 * @throws FormatError `truncated-file` where there are fewer, `corrupt-gzip` where they cannot be inflated
	 */
	read(position: number, target: Uint8Array): Promise<void>
	close(): void
}

/** The plain file `path`. Nothing of it is held. */
export async function openFileBytes(path: string): Promise<ByteSource> {
	const file = await open(path, 'r')
	return {
		read: (position, target) => readFully(file, position, target, path),
		// Closing a file that was open for reading cannot lose anything.
		close: () => void file.close(),
	}
}

/**
 * Fills `target` from the open file.
 * @throws FormatError `truncated-file` where it ends before
 */
export async function readFully(file: FileHandle, position: number, target: Uint8Array, path: string): Promise<void> {
	let filled = 0
	while (filled < target.length) {
		const { bytesRead } = await file.read(target, filled, target.length - filled, position + filled)
		if (bytesRead === 0) throw truncated(path, position, target.length)
		filled += bytesRead
	}
}

/**
 * What the gzip file `path` inflates to. A gzip stream can only be read from its start: reading on is free, going back begins anew, and
 * what is held is one piece of some 16 kB. Calls are answered one after the other.
 */
export function openGzipBytes(path: string): ByteSource {
	let stream = inflate(path)
	let turn: Promise<void> = Promise.resolve()

	const readNow = async (position: number, target: Uint8Array): Promise<void> => {
		if (position < stream.position) {
			stream.end()
			stream = inflate(path)
		}
		await stream.skip(position - stream.position)
		const filled = await stream.fill(target)
		if (filled < target.length) throw truncated(path, position, target.length)
	}
	return {
		read(position, target) {
			const result = turn.then(() => readNow(position, target))
			turn = result.catch(() => {})
			return result
		},
		close: () => stream.end(),
	}
}

/**
 * Inflates `path` to its end and holds nothing, so that damage shows before any work is done (gzip carries a checksum), and a file that
 * inflates to more than it should is left at once.
 * @throws FormatError `truncated-file` where it does not inflate to just `expected` bytes, `corrupt-gzip` where it cannot be inflated
 */
export async function checkGzipLength(path: string, expected: number): Promise<void> {
	const { size } = await stat(path)
	if (expected > size * MAX_COMPRESSION) {
		const message = `${path}: expected ${expected} bytes as its header says, found ${size} gzipped ones, which cannot hold them; the file is truncated or damaged`
		throw new FormatError('truncated-file', message, { path })
	}
	const stream = inflate(path)
	try {
		const found = await stream.skip(expected + 1)
		if (found === expected) return
		const amount = found > expected ? 'more' : `${found}`
		const message = `${path}: expected ${expected} bytes as its header says, found ${amount}; the file is truncated or damaged`
		throw new FormatError('truncated-file', message, { path })
	} finally {
		stream.end()
	}
}

/**
 * At most `length` bytes from the start of what the gzip file `path` inflates to.
 * @throws FormatError `corrupt-gzip`
 */
export async function peekGzip(path: string, length: number): Promise<Uint8Array> {
	const stream = inflate(path)
	const head = new Uint8Array(length)
	try {
		return head.subarray(0, await stream.fill(head))
	} finally {
		stream.end()
	}
}

interface InflatedStream {
	/** Bytes read so far. */
	readonly position: number
	/** Passes over `count` bytes; gives how many there were. */
	skip(count: number): Promise<number>
	/** Fills `target`; gives how many bytes there were. */
	fill(target: Uint8Array): Promise<number>
	end(): void
}

function inflate(path: string): InflatedStream {
	const file = createReadStream(path)
	const gunzip = createGunzip()
	file.on('error', (error) => gunzip.destroy(error))
	const pieces = file.pipe(gunzip)[Symbol.asyncIterator]()
	let rest: Uint8Array = new Uint8Array()
	let position = 0

	/** Hands `count` bytes to `use`, piece by piece. */
	const pass = async (count: number, use: (piece: Uint8Array, at: number) => void): Promise<number> => {
		let done = 0
		while (done < count) {
			if (rest.length === 0) rest = await next()
			if (rest.length === 0) break
			const piece = rest.subarray(0, count - done)
			use(piece, done)
			rest = rest.subarray(piece.length)
			done += piece.length
			position += piece.length
		}
		return done
	}
	const next = async (): Promise<Uint8Array> => {
		try {
			const { done, value } = await pieces.next()
			return done ? new Uint8Array() : value
		} catch (error) {
			const message = `${path}: expected a sound gzip file, found a truncated or damaged one (${messageOf(error)})`
			throw new FormatError('corrupt-gzip', message, { path, cause: error })
		}
	}
	return {
		get position() {
			return position
		},
		skip: (count) => pass(count, () => {}),
		fill: (target) => pass(target.length, (piece, at) => target.set(piece, at)),
		end() {
			file.destroy()
			gunzip.destroy()
		},
	}
}

function truncated(path: string, position: number, length: number): FormatError {
	const message = `${path}: expected ${length} bytes at ${position}, found the end of the file; it changed while it was read`
	return new FormatError('truncated-file', message, { path, offset: position })
}
