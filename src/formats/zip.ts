/**
 * Zip archives in memory, as far as model files need them: find entries, take one out within bounds, and put another content in its place
 * while every other byte of the archive stays. General zip libraries write an archive anew, with dates and order of their own. (PKWARE
 * APPNOTE 6.3; section numbers below are of it.)
 */
import { deflateSync, inflateSync } from 'fflate'
import { FormatError, messageOf, UnsupportedError } from '../errors.ts'
import { crc32 } from './crc32.ts'

/** A `.keras` archive has three entries and a few assets; more than this is no model. */
const MAX_ENTRIES = 1000
/** Deflate cannot shrink data more than 1032-fold; an entry that claims more is a bomb or damaged. */
const MAX_COMPRESSION = 1032

/** End of central directory (4.3.16), central directory header (4.3.12), local file header (4.3.7), zip64 locator (4.3.15). */
const END = { signature: 0x06054b50, bytes: 22 }
const CENTRAL = { signature: 0x02014b50, bytes: 46 }
const LOCAL = { signature: 0x04034b50, bytes: 30 }
const ZIP64_LOCATOR = { signature: 0x07064b50, bytes: 20 }
/** The archive's comment stands behind the end record, and its length is a 16-bit number. */
const MAX_COMMENT = 0xffff
/** General purpose bits (4.4.4). */
const ENCRYPTED = 1
const HAS_DESCRIPTOR = 8
const STORED = 0
const DEFLATED = 8

/** One file in an archive. */
export interface ZipEntry {
	readonly name: string
	readonly method: typeof STORED | typeof DEFLATED
	readonly crc: number
	/** Unpacked bytes, as the archive claims. */
	readonly size: number
	/** Where its packed bytes stand. */
	readonly start: number
	readonly end: number
	/** Where its headers stand. */
	readonly local: number
	readonly central: number
	readonly hasDescriptor: boolean
}

/** An archive taken apart; `bytes` is the whole of it. */
export interface ZipArchive {
	readonly path: string
	readonly bytes: Uint8Array
	readonly entries: readonly ZipEntry[]
	/** Where the end record stands. */
	readonly end: number
}

/** Do `bytes` begin as a zip archive does? */
export function isZip(bytes: Uint8Array): boolean {
	return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

/**
 * Reads the archive's directory; nothing is unpacked. `path` is for messages.
 * @throws FormatError `corrupt-zip`; UnsupportedError `unsupported-zip` for encryption, zip64, other methods than deflate, too many entries
 */
export function openZip(bytes: Uint8Array, path: string): ZipArchive {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
	const end = findEnd(view)
	if (end < 0) throw corrupt(path, 'its directory is not there (the archive is cut off)')
	const [count, start] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)]
	const locator = end - ZIP64_LOCATOR.bytes
	if (locator >= 0 && view.getUint32(locator, true) === ZIP64_LOCATOR.signature) throw unsupported(path, 'it is zip64')
	if (count > MAX_ENTRIES) throw unsupported(path, `it has ${count} entries, at most ${MAX_ENTRIES} are read`)
	const entries: ZipEntry[] = []
	let at = start
	for (let index = 0; index < count; index++) {
		if (at + CENTRAL.bytes > end || view.getUint32(at, true) !== CENTRAL.signature) {
			throw corrupt(path, `entry ${index} of its directory is damaged`)
		}
		entries.push(readHeader(view, at, path))
		at += CENTRAL.bytes + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
	}
	if (new Set(entries.map(({ name }) => name)).size < count) throw corrupt(path, 'two of its entries have one name')
	return { path, bytes, entries, end }
}

/**
 * The content of `entry`: a view of the archive's bytes where it is stored plainly.
 * @param maxBytes what may be unpacked at most
 * @throws FormatError `corrupt-zip`, `too-large`
 */
export function readZipEntry({ bytes, path }: ZipArchive, entry: ZipEntry, maxBytes: number): Uint8Array {
	const { name, size, start, end, method } = entry
	const packed = bytes.subarray(start, end)
	const possible = method === STORED ? packed.length : packed.length * MAX_COMPRESSION
	if (size > possible) throw corrupt(path, `${name} claims ${size} bytes, its ${packed.length} cannot hold them`)
	if (size > maxBytes) {
		throw new FormatError('too-large', `${path}: ${name}: expected at most ${maxBytes} bytes, found ${size}`, { path })
	}
	const content = method === STORED ? packed : inflate(packed, size, `${path}: ${name}`, path)
	if (content.length !== size || crc32(content) !== entry.crc)
		throw corrupt(path, `${name} does not match its checksum`)
	return content
}

/** A copy of the archive in which `entry` holds `content`, packed as it was before; nothing else of it changes but sizes and offsets. */
export function replaceZipEntry(archive: ZipArchive, entry: ZipEntry, content: Uint8Array): Uint8Array<ArrayBuffer> {
	const packed = entry.method === STORED ? content : deflateSync(content)
	const growth = packed.length - (entry.end - entry.start)
	const copy = new Uint8Array(archive.bytes.length + growth)
	copy.set(archive.bytes.subarray(0, entry.start))
	copy.set(packed, entry.start)
	copy.set(archive.bytes.subarray(entry.end), entry.end + growth)
	const view = new DataView(copy.buffer)
	const moved = (offset: number) => (offset >= entry.end ? offset + growth : offset)
	const sums = [crc32(content), packed.length, content.length] as const
	for (const { central, local } of archive.entries) view.setUint32(moved(central) + 42, moved(local), true)
	view.setUint32(moved(archive.end) + 16, moved(view.getUint32(moved(archive.end) + 16, true)), true)
	writeSums(view, moved(entry.central) + 16, sums)
	if (!entry.hasDescriptor) writeLocalSums(view, entry.local, sums)
	else {
		// The descriptor behind the data may begin with a signature of its own (4.3.9.3).
		const at = entry.end + growth
		writeSums(view, view.getUint32(at, true) === 0x08074b50 ? at + 4 : at, sums)
	}
	return copy
}

function findEnd(view: DataView): number {
	const last = view.byteLength - END.bytes
	for (let at = last; at >= 0 && at >= last - MAX_COMMENT; at--) {
		if (view.getUint32(at, true) === END.signature && view.getUint16(at + 20, true) === last - at) return at
	}
	return -1
}

function readHeader(view: DataView, central: number, path: string): ZipEntry {
	const [flags, method] = [view.getUint16(central + 8, true), view.getUint16(central + 10, true)]
	const [crc, packed, size] = [16, 20, 24].map((at) => view.getUint32(central + at, true)) as [number, number, number]
	const local = view.getUint32(central + 42, true)
	const nameAt = view.byteOffset + central + CENTRAL.bytes
	const nameBytes = view.getUint16(central + 28, true)
	if (central + CENTRAL.bytes + nameBytes > view.byteLength) throw corrupt(path, 'its directory is damaged')
	const name = new TextDecoder().decode(new Uint8Array(view.buffer, nameAt, nameBytes))
	if (flags & ENCRYPTED) throw unsupported(path, `${name} is encrypted`)
	if ([packed, size, local].includes(0xffffffff)) throw unsupported(path, `${name} is zip64`)
	if (method !== STORED && method !== DEFLATED) throw unsupported(path, `${name} is packed with method ${method}`)
	if (local + LOCAL.bytes > central || view.getUint32(local, true) !== LOCAL.signature) {
		throw corrupt(path, `${name} has no header where the directory says`)
	}
	const start = local + LOCAL.bytes + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
	const end = start + packed
	if (end > central) throw corrupt(path, `${name} reaches into the directory`)
	return { name, method, crc, size, start, end, local, central, hasDescriptor: (flags & HAS_DESCRIPTOR) !== 0 }
}

function inflate(packed: Uint8Array, size: number, what: string, path: string): Uint8Array {
	try {
		return inflateSync(packed, { out: new Uint8Array(size) })
	} catch (cause) {
		throw new FormatError('corrupt-zip', `${what} cannot be unpacked: ${messageOf(cause)}: get a fresh copy`, {
			path,
			cause,
		})
	}
}

type Sums = readonly [crc: number, packed: number, size: number]

function writeSums(view: DataView, at: number, sums: Sums): void {
	for (const [index, value] of sums.entries()) view.setUint32(at + 4 * index, value, true)
}

/** Python marks sizes that stand in a zip64 field behind the name, whatever they are, when it cannot know them beforehand (4.5.3). */
function writeLocalSums(view: DataView, local: number, sums: Sums): void {
	const [crc, packed, size] = sums
	const field = local + LOCAL.bytes + view.getUint16(local + 26, true)
	const isElsewhere = view.getUint32(local + 18, true) === 0xffffffff && view.getUint16(field, true) === 1
	if (!isElsewhere) writeSums(view, local + 14, sums)
	else {
		view.setUint32(local + 14, crc, true)
		view.setBigUint64(field + 4, BigInt(size), true)
		view.setBigUint64(field + 12, BigInt(packed), true)
	}
}

function corrupt(path: string, detail: string): FormatError {
	return new FormatError('corrupt-zip', `${path}: damaged zip archive: ${detail}: get a fresh copy`, { path })
}

function unsupported(path: string, detail: string): UnsupportedError {
	return new UnsupportedError('unsupported-zip', `${path}: ${detail}; save the model again with Keras`, { path })
}
