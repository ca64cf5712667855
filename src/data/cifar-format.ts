/**
 * The binary form of CIFAR-10 and CIFAR-100: records one after the other without any header, each of one label byte (CIFAR-100: coarse
 * label, then fine label) and 32×32 pixels, all red ones, all green, all blue. Source: www.cs.toronto.edu/~kriz/cifar.html.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { FormatError, InputError } from '../errors.ts'

/** Which labels a file holds, and which of them are asked for. */
export interface CifarFormat {
	readonly name: 'CIFAR-10' | 'CIFAR-100'
	/** Label bytes before the pixels of a record. */
	readonly labelBytes: 1 | 2
	/** Which of these bytes is the label. */
	readonly labelAt: 0 | 1
	readonly classes: number
	/** The file beside the data that names the classes, a line each. */
	readonly namesFile: string
}

/** Bytes of a picture: `[3, 32, 32]`. */
export const CIFAR_PIXELS = 3 * 32 * 32

const CIFAR_10: CifarFormat = {
	name: 'CIFAR-10',
	labelBytes: 1,
	labelAt: 0,
	classes: 10,
	namesFile: 'batches.meta.txt',
}
const FINE: CifarFormat = {
	name: 'CIFAR-100',
	labelBytes: 2,
	labelAt: 1,
	classes: 100,
	namesFile: 'fine_label_names.txt',
}
const COARSE: CifarFormat = { ...FINE, labelAt: 0, classes: 20, namesFile: 'coarse_label_names.txt' }

/** What the user may ask for behind the path. */
const BY_LABEL: Readonly<Record<string, CifarFormat>> = { label: CIFAR_10, fine: FINE, coarse: COARSE }

/** Whether a file of `size` bytes can be records of either kind. */
export function isCifarSize(size: number): boolean {
	return size > 0 && fitting(size).length > 0
}

/** Bytes of a record. */
export function recordLength({ labelBytes }: CifarFormat): number {
	return labelBytes + CIFAR_PIXELS
}

/**
 * The format of a file of `size` bytes: the length of its records tells. Where both lengths fit (every 3074 · 3073 bytes) the usual names
 * decide: those of the file, its folder and the class names beside it.
 * @param labels `label` (CIFAR-10), `fine` or `coarse` (CIFAR-100), where the user says so; default `fine`
 * @throws InputError `empty-set`, `no-labels` where `labels` is none of these, `ambiguous-format` where nothing tells
 * @throws FormatError `corrupt-cifar` where `size` is no whole number of records
 */
export function cifarFormat(path: string, size: number, labels: string | undefined): CifarFormat {
	if (size === 0) throw new InputError('empty-set', `${path}: expected CIFAR records, found an empty file`, { path })
	const asked = labels === undefined ? undefined : BY_LABEL[labels]
	if (labels !== undefined && !asked) {
		const message = `${path}: expected labels called label (CIFAR-10), fine or coarse (CIFAR-100), found "${labels}"`
		throw new InputError('no-labels', message, { path })
	}
	const formats = fitting(size).filter((format) => !asked || format.name === asked.name)
	if (formats.length === 0) {
		const expected = asked
			? `${recordLength(asked)} bytes (${asked.name})`
			: '3073 (CIFAR-10) or 3074 bytes (CIFAR-100)'
		const message = `${path}: expected whole records of ${expected}, found ${size} bytes; the file is truncated, or no CIFAR file`
		throw new FormatError('corrupt-cifar', message, { path })
	}
	if (asked) return asked
	const [only] = formats.length === 1 ? formats : formats.filter((format) => isNamed(path, format))
	if (only) return only
	const message = `${path}: ${size} bytes can be CIFAR-10 as well as CIFAR-100; say which as in ${path}:label (CIFAR-10), :fine or :coarse (CIFAR-100)`
	throw new InputError('ambiguous-format', message, { path })
}

function fitting(size: number): CifarFormat[] {
	return [CIFAR_10, FINE].filter((format) => size % recordLength(format) === 0)
}

function isNamed(path: string, { name, namesFile }: CifarFormat): boolean {
	const usual = name === 'CIFAR-10' ? /^(data_batch_\d+|test_batch)\./i : /^(train|test)\./i
	const folder = dirname(path)
	return usual.test(basename(path)) || existsSync(join(folder, namesFile))
}
