/** Stored floating-point numbers of 2, 4 or 8 bytes ↔ float32. */
import { floatToHalf, widenHalves } from '../../graph/float16.ts'
import type { StoredArray } from './stored.ts'

/** The numbers of `array` as float32, rounded to nearest where they were stored as float64; a view of its bytes where they are float32. */
export function toFloat32(array: StoredArray): Float32Array {
	const { buffer, byteOffset, length } = array.bytes
	if (array.size === 4) return new Float32Array(buffer, byteOffset, length / 4)
	if (array.size === 8) return Float32Array.from(new Float64Array(buffer, byteOffset, length / 8))
	return widenHalves(new Uint16Array(buffer, byteOffset, length / 2))
}

/** Puts `value` at element `index` of `array`, in place. */
export function putFloat(array: StoredArray, index: number, value: number): void {
	const view = new DataView(array.bytes.buffer, array.bytes.byteOffset, array.bytes.byteLength)
	if (array.size === 4) view.setFloat32(index * 4, value, true)
	else if (array.size === 8) view.setFloat64(index * 8, value, true)
	else view.setUint16(index * 2, floatToHalf(value), true)
}
