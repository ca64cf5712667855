/** Typed readers for a layer's settings. All throw `FormatError` (code `bad-config`) naming the layer and the setting. */
import type { KerasLayer } from './architecture.ts'
import { badConfig } from './json.ts'

export type DataFormat = 'channels_last' | 'channels_first'

/** No kernel, stride, padding or unit count comes near this; products of two still are exact. */
const MAX_SETTING = 2 ** 24

function bad(layer: KerasLayer, key: string, expected: string): never {
	throw badConfig(`layer ${layer.name} (${layer.className}), setting ${key}`, expected, layer.config[key], layer.name)
}

function isCount(value: unknown, minimum: number): value is number {
	return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= MAX_SETTING
}

/** A whole number of at least 1. */
export function readCount(layer: KerasLayer, key: string, fallback?: number): number {
	const value = layer.config[key] ?? fallback
	return isCount(value, 1) ? value : bad(layer, key, 'a whole number from 1')
}

/** Two whole numbers of at least `minimum`, for rows and columns; one number stands for both. */
export function readPair(layer: KerasLayer, key: string, fallback?: number, minimum = 1): [number, number] {
	const value = layer.config[key] ?? fallback
	const [rows, columns, ...rest] = Array.isArray(value) ? value : [value, value]
	const isPair = isCount(rows, minimum) && isCount(columns, minimum) && rest.length === 0
	return isPair ? [rows, columns] : bad(layer, key, 'one or two whole numbers')
}

/** Four whole numbers of at least 0, `[top, bottom, left, right]`, from `n`, `[rows, columns]` or `[[top, bottom], [left, right]]`. */
export function readBorders(layer: KerasLayer, key: string): [number, number, number, number] {
	const value = layer.config[key] ?? 1
	if (!Array.isArray(value)) return readBorders({ ...layer, config: { [key]: [value, value] } }, key)
	const sides = value.flatMap((side) => (Array.isArray(side) ? side : [side, side]))
	const [top, bottom, left, right] = sides
	const isValid = value.length === 2 && sides.length === 4 && sides.every((side) => isCount(side, 0))
	return isValid ? [top, bottom, left, right] : bad(layer, key, 'widths of the four borders')
}

/** A finite number; `{ value: 0.3 }`, as old versions wrote scalars, too. */
export function readNumber(layer: KerasLayer, key: string, fallback: number): number {
	const raw = layer.config[key] ?? fallback
	const value = typeof raw === 'object' && raw !== null && 'value' in raw ? raw.value : raw
	return Number.isFinite(value) ? Number(value) : bad(layer, key, 'a number')
}

/** True or false. */
export function readFlag(layer: KerasLayer, key: string, fallback: boolean): boolean {
	const value = layer.config[key] ?? fallback
	return typeof value === 'boolean' ? value : bad(layer, key, 'true or false')
}

/** Whole numbers, any sign; one number stands for a list of one. */
export function readIntegers(layer: KerasLayer, key: string, fallback?: number): number[] {
	const value = layer.config[key] ?? fallback
	const list = Array.isArray(value) ? value : [value]
	return list.every((item) => Number.isSafeInteger(item)) ? list : bad(layer, key, 'whole numbers')
}

/** One of `allowed`. */
export function readChoice<T extends string>(layer: KerasLayer, key: string, allowed: readonly T[], fallback: T): T {
	const value = layer.config[key] ?? fallback
	return allowed.find((choice) => choice === value) ?? bad(layer, key, allowed.join(' or '))
}

/** `data_format`, `channels_last` where nothing is said. */
export function readDataFormat(layer: KerasLayer): DataFormat {
	return readChoice(layer, 'data_format', ['channels_last', 'channels_first'], 'channels_last')
}

/** `padding` of a convolution or pooling layer. */
export function readPadding(layer: KerasLayer): 'valid' | 'same' {
	return readChoice(layer, 'padding', ['valid', 'same'], 'valid')
}
