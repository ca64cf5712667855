/** Small readers for JSON that came from a stranger: each returns a typed value or throws `FormatError` (code `bad-config`). */
import { FormatError, messageOf } from '../../errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Keras itself wrote JSON inside JSON in places; nobody wrote it deeper than this. */
const MAX_ENCODINGS = 3

/** Parses `text`, and again as long as the result is a string that holds JSON. */
export function parseJson(text: string, what: string): unknown {
	let value: unknown = text
	for (let depth = 0; depth < MAX_ENCODINGS && typeof value === 'string'; depth++) value = parseOnce(value, what)
	return value
}

function parseOnce(text: string, what: string): unknown {
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new FormatError('bad-config', `${what}: expected JSON: ${messageOf(cause)}`, { cause })
	}
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `value` as an object. */
export function asObject(value: unknown, what: string): JsonObject {
	if (isObject(value)) return value
	throw badConfig(what, 'an object', value)
}

/** `value` as an array. */
export function asArray(value: unknown, what: string): readonly unknown[] {
	if (Array.isArray(value)) return value
	throw badConfig(what, 'a list', value)
}

/** `value` as a string that is not empty. */
export function asName(value: unknown, what: string): string {
	if (typeof value === 'string' && value !== '') return value
	throw badConfig(what, 'a name', value)
}

/** The error for a value of the wrong kind; `found` is shown shortened. */
export function badConfig(what: string, expected: string, found: unknown, layer?: string): FormatError {
	return new FormatError('bad-config', `${what}: expected ${expected}, found ${shorten(found)}`, { layer })
}

function shorten(value: unknown): string {
	const text = JSON.stringify(value) ?? 'nothing'
	return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
