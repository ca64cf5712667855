/** IEEE 754 binary16 ("half", float16) ↔ numbers. Node 20 has no `Float16Array`, so the sixteen bits are taken apart here. */

/** One half's bits → its number. */
export function halfToFloat(half: number): number {
	const sign = half & 0x8000 ? -1 : 1
	const exponent = (half >> 10) & 0x1f
	const fraction = half & 0x3ff
	if (exponent === 0) return sign * fraction * 2 ** -24
	if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
	return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Number → the bits of the nearest half, ties to even; from 65520 on infinite. */
export function floatToHalf(value: number): number {
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

/** Every half there is, by its bits: 256 KiB, and maps of millions of numbers are widened by looking up. */
let numbers: Float32Array | undefined

/** The numbers that `halves` stand for, each exactly. */
export function widenHalves(halves: Uint16Array): Float32Array {
	numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToFloat(half))
	const wide = new Float32Array(halves.length)
	for (let i = 0; i < wide.length; i++) wide[i] = numbers[halves[i]!]!
	return wide
}

/** The nearest halves, as their bits. Numbers that came out of `widenHalves` go back exactly. */
export function narrowToHalves(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
	const halves = new Uint16Array(values.length)
	for (let i = 0; i < halves.length; i++) halves[i] = floatToHalf(values[i]!)
	return halves
}
