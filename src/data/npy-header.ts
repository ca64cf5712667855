/**
 * The `.npy` format: a magic string, a version, a Python dictionary as text, then the values.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { FormatError, UnsupportedError } from '../errors.ts'
import { bytesPerValue, type NumericType } from './numbers.ts'

/** The first bytes of a `.npy` file: `\x93NUMPY`. */
export const NPY_SIGNATURE = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)

/** Headers of plain arrays take 64 or 128 bytes; only structured types, which we refuse, need more than a few hundred. */
export const MAX_NPY_HEADER_BYTES = 4096

/** NumPy itself allows 64 dimensions (32 before 2.0); images need four. */
const MAX_DIMS = 32

export interface NpyHeader {
	readonly type: NumericType
	readonly dims: readonly number[]
	/** Where the values begin. */
	readonly byteOffset: number
}

/**
 * The header of a `.npy` file.
 * @param head its first `MAX_NPY_HEADER_BYTES` bytes, or all of them
 * @param byteLength length of the whole file
 * @throws FormatError `corrupt-npy` where the header is broken or promises more values than the file holds, UnsupportedError on Python
 *   objects, strings, structures, big-endian numbers and Fortran order
 */
export function readNpyHeader(head: Uint8Array, byteLength: number, path: string): NpyHeader {
	const text = headerText(head, path)
	const descr = field(text.value, /'descr':\s*'([^']*)'/, 'descr', path)
	const order = field(text.value, /'fortran_order':\s*(True|False)/, 'fortran_order', path)
	const shape = field(text.value, /'shape':\s*\(([\d,\s]*)\)/, 'shape', path)
	const type = numericType(descr, path)
	if (order === 'True') {
		const message = `${path}: expected an array in C order, found Fortran order; save it with numpy.ascontiguousarray`
		throw new UnsupportedError('fortran-order', message, { path })
	}
	const dims = shape
		.split(',')
		.filter((part) => part.trim() !== '')
		.map(Number)
	const values = dims.reduce((product, dim) => product * dim, 1)
	const available = byteLength - text.end
	if (dims.length > MAX_DIMS || !(values * bytesPerValue(type) <= available)) {
		const message = `${path}: expected [${dims.slice(0, MAX_DIMS).join(', ')}] ${type} values, found ${available} bytes; the file is truncated or damaged`
		throw new FormatError('corrupt-npy', message, { path })
	}
	return { type, dims, byteOffset: text.end }
}

/** The dictionary and the place where it ends. Version 1 gives its length in two bytes, versions 2 and 3 in four. */
function headerText(head: Uint8Array, path: string): { value: string; end: number } {
	const major = head[6]
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
	const begin = major === 1 ? 10 : 12
	if (NPY_SIGNATURE.some((byte, i) => head[i] !== byte) || head.length < begin) throw corrupt(path, 'no .npy header')
	if (major !== 1 && major !== 2 && major !== 3) {
		throw new UnsupportedError('npy-version', `${path}: expected .npy version 1, 2 or 3, found ${major}`, { path })
	}
	const end = begin + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
	if (end > MAX_NPY_HEADER_BYTES)
		throw corrupt(path, `a header of ${end} bytes (at most ${MAX_NPY_HEADER_BYTES} are read)`)
	if (end > head.length) throw corrupt(path, 'a header that goes beyond the end of the file')
	return { value: new TextDecoder('latin1').decode(head.subarray(begin, end)), end }
}

function field(text: string, pattern: RegExp, name: string, path: string): string {
	const found = pattern.exec(text)?.[1]
	if (found !== undefined) return found
	if (name === 'descr' && text.includes("'descr': [")) {
		throw new UnsupportedError('unsupported-dtype', `${path}: expected plain numbers, found a structured array`, {
			path,
		})
	}
	throw corrupt(path, `a header without a readable '${name}'`)
}

/** NumPy's type strings (`<f8`, `|u1`) → ours. */
const TYPES: Readonly<Record<string, NumericType>> = {
	u1: 'uint8',
	b1: 'uint8',
	i1: 'int8',
	u2: 'uint16',
	i2: 'int16',
	u4: 'uint32',
	i4: 'int32',
	u8: 'uint64',
	i8: 'int64',
	f4: 'float32',
	f8: 'float64',
}

function numericType(descr: string, path: string): NumericType {
	const type = TYPES[descr.slice(1)]
	const isLittleEndian = descr[0] === '<' || descr[0] === '|' || descr[0] === '='
	if (type && (isLittleEndian || bytesPerValue(type) === 1)) return type
	if (descr.endsWith('O')) {
		const message = `${path}: expected numbers, found pickled Python objects (dtype object), which goodnet never loads; save plain arrays`
		throw new UnsupportedError('pickled-objects', message, { path })
	}
	const message = `${path}: expected little-endian integers, float32 or float64, found dtype '${descr}'; convert it with astype`
	throw new UnsupportedError('unsupported-dtype', message, { path })
}

function corrupt(path: string, found: string): FormatError {
	return new FormatError('corrupt-npy', `${path}: expected a sound .npy file, found ${found}`, { path })
}
