/**
 * The IDX format: two zero bytes, a type, a number of dimensions, each dimension in four bytes, then the values; big-endian.
 * Source: yann.lecun.com/exdb/mnist, "The IDX file format" (kept at github.com/cvdfoundation/mnist).
 */
import { FormatError, UnsupportedError } from '../errors.ts'

export interface IdxHeader {
	readonly dims: readonly number[]
	/** Where the values begin. */
	readonly byteOffset: number
	/** Length that the whole file must have. */
	readonly byteLength: number
}

/** `[N, C, H, W]` is all that images need. */
const MAX_DIMS = 4

export const MAX_IDX_HEADER_BYTES = 4 + 4 * MAX_DIMS

/** What the third byte says. Pictures and labels are unsigned bytes everywhere we looked, so the others are only named. */
const TYPES: Readonly<Record<number, string>> = {
	8: 'uint8',
	9: 'int8',
	11: 'int16',
	12: 'int32',
	13: 'float32',
	14: 'float64',
}

/** Whether `head` begins as an IDX file: two zeros, a known type, at least one dimension. */
export function isIdx(head: Uint8Array): boolean {
	return head.length >= 4 && head[0] === 0 && head[1] === 0 && head[2]! in TYPES && head[3]! > 0
}

/**
 * The header of an IDX file of unsigned bytes.
 * @param head its first `MAX_IDX_HEADER_BYTES` bytes, or all of them
 * @throws FormatError `corrupt-idx` where it is none or breaks off, UnsupportedError `unsupported-dtype` on other numbers than uint8,
 *   `too-many-dims` beyond four dimensions
 */
export function readIdxHeader(head: Uint8Array, path: string): IdxHeader {
	if (!isIdx(head)) {
		const found = `bytes ${[...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`
		throw corrupt(path, `expected an IDX file, which begins 00 00 08 and its number of dimensions, found ${found}`)
	}
	const type = TYPES[head[2]!]
	if (type !== 'uint8') {
		const message = `${path}: expected uint8 values (type 0x08), found ${type}; store pixels and labels as unsigned bytes`
		throw new UnsupportedError('unsupported-dtype', message, { path })
	}
	const count = head[3]!
	if (count > MAX_DIMS) {
		const message = `${path}: expected at most ${MAX_DIMS} dimensions, found ${count}`
		throw new UnsupportedError('too-many-dims', message, { path })
	}
	const byteOffset = 4 + 4 * count
	if (head.length < byteOffset) {
		throw corrupt(path, `expected a header of ${byteOffset} bytes, found ${head.length}; the file is truncated`)
	}
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
	const dims = Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i))
	return { dims, byteOffset, byteLength: byteOffset + dims.reduce((product, dim) => product * dim, 1) }
}

/** Whether `head` is the beginning of an IDX file of exactly `size` bytes. */
export function hasIdxLength(head: Uint8Array, size: number): boolean {
	try {
		return readIdxHeader(head, '').byteLength === size
	} catch {
		return false
	}
}

function corrupt(path: string, text: string): FormatError {
	return new FormatError('corrupt-idx', `${path}: ${text}`, { path })
}
