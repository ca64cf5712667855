/** Numeric element types of arrays on disk, and their way into pixels. */
import type { Pixels } from './pixels.ts'

const VIEWS = {
	uint8: Uint8Array,
	int8: Int8Array,
	uint16: Uint16Array,
	int16: Int16Array,
	uint32: Uint32Array,
	int32: Int32Array,
	uint64: BigUint64Array,
	int64: BigInt64Array,
	float32: Float32Array,
	float64: Float64Array,
}

/** Element types that we read, all little-endian. */
export type NumericType = keyof typeof VIEWS

/** Values as they lie on disk. */
export type NumericArray = InstanceType<(typeof VIEWS)[NumericType]>

/** Bytes of one element. */
export function bytesPerValue(type: NumericType): number {
	return VIEWS[type].BYTES_PER_ELEMENT
}

/** A view of `length` values of `bytes` from `byteOffset` on; a copy where that place is not aligned for `type`. */
export function viewNumbers(type: NumericType, bytes: Uint8Array, byteOffset: number, length: number): NumericArray {
	const View = VIEWS[type]
	const begin = bytes.byteOffset + byteOffset
	if (begin % View.BYTES_PER_ELEMENT === 0) return new View(bytes.buffer as ArrayBuffer, begin, length)
	return new View(bytes.slice(byteOffset, byteOffset + length * View.BYTES_PER_ELEMENT).buffer, 0, length)
}

/** How pixels of `type` are handed out: bytes as they are, everything else as float32. */
export function pixelStorage(type: NumericType): 'uint8' | 'float32' {
	return type === 'uint8' ? 'uint8' : 'float32'
}

/** Copies `values` to `target`, rounding to float32 where need be. Both have the same length. */
export function narrow(values: NumericArray, target: Pixels): void {
	if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
		for (let i = 0; i < values.length; i++) target[i] = Number(values[i])
	} else {
		target.set(values)
	}
}
