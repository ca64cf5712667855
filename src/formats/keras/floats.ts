/** Stored floating-point numbers of 2, 4 or 8 bytes ↔ float32. */
import type { StoredArray } from './hdf5.ts'

/** The numbers of `array` as float32, rounded to nearest where they were stored as float64; a view of its bytes where they are float32. */
export function toFloat32(array: StoredArray): Float32Array {
	const { buffer, byteOffset, length } = array.bytes
	if (array.size === 4) return new Float32Array(buffer, byteOffset, length / 4)
	if (array.size === 8) return Float32Array.from(new Float64Array(buffer, byteOffset, length / 8))
	return Float32Array.from(new Uint16Array(buffer, byteOffset, length / 2), halfToFloat)
}

/** Puts `value` at element `index` of `array`, in place. */
export function putFloat(array: StoredArray, index: number, value: number): void {
	const view = new DataView(array.bytes.buffer, array.bytes.byteOffset, array.bytes.byteLength)
	if (array.size === 4) view.setFloat32(index * 4, value, true)
	else if (array.size === 8) view.setFloat64(index * 8, value, true)
	else view.setUint16(index * 2, floatToHalf(value), true)
}

/** IEEE 754 binary16 → number. */
function halfToFloat(half: number): number {
	const sign = half & 0x8000 ? -1 : 1
	const exponent = (half >> 10) & 0x1f
	const fraction = half & 0x3ff
	if (exponent === 0) return sign * fraction * 2 ** -24
	if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
	return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Number → IEEE 754 binary16, ties to even; too large becomes infinite. */
function floatToHalf(value: number): number {
	const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
	const size = Math.abs(value)
	if (Number.isNaN(value)) return 0x7e00
	if (size >= 65520) return sign | 0x7c00
	if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24)
	const exponent = Math.floor(Math.log2(size))
	return sign | (roundToEven(size * 2 ** (10 - exponent)) + ((exponent + 14) << 10))
}

function roundToEven(value: number): number {
	const floor = Math.floor(value)
	const rest = value - floor
	if (rest !== 0.5) return Math.round(value)
	return floor % 2 === 0 ? floor : floor + 1
}
