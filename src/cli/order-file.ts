/** A pruning order as a file: a JSON array, or numbers apart by commas or spaces. */
import { readFile } from 'node:fs/promises'
import { InputError, messageOf } from '../errors.ts'
import { parseJson } from '../json.ts'

/** The channel numbers in a file, first pruned first. @throws InputError `not-found`, `bad-order` */
export async function readOrder(path: string): Promise<number[]> {
	const text = await readFile(path, 'utf8').catch((error: unknown) => {
		throw new InputError('not-found', `${path} cannot be read: ${messageOf(error)}`, { path, cause: error })
	})
	const words = text.trimStart().startsWith('[')
		? jsonNumbers(text)
		: text.split(/[\s,]+/).filter((word) => word !== '')
	const order = words.map(Number)
	const bad = words.find((word) => !/^\d+$/.test(word))
	if (bad === undefined && order.length > 0) return order
	const found = bad === undefined ? 'an empty file' : `"${bad.slice(0, 40)}"`
	throw new InputError('bad-order', `${path}: expected channel numbers, first pruned first, found ${found}`, { path })
}

/** The elements of a JSON array as text; the text itself, to be named in the error, where it is no such array. */
function jsonNumbers(text: string): string[] {
	const parsed = parseJson(text)
	return Array.isArray(parsed) ? parsed.map(String) : [text]
}
