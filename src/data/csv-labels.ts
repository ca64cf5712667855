/** Which columns of a CSV table name the pictures and their labels, and what they say. */
import { extname } from 'node:path'
import { InputError } from '../errors.ts'
import type { CsvTable } from './csv-table.ts'
import { IMAGE_EXTENSIONS } from './decode.ts'
import { parseLabels } from './labels.ts'
import type { PartNames } from './options.ts'

/** Headers of the column of file names, in small letters and without anything but letters; the first that is present is taken. */
const FILE_HEADERS = ['filename', 'file', 'filepath', 'imagename', 'imagefile', 'imagepath', 'image', 'img', 'path']

/** Headers of the column of labels; numbers go before names where a table has both. */
const LABEL_HEADERS = [
	'classid',
	'labelid',
	'label',
	'labels',
	'class',
	'target',
	'category',
	'classname',
	'labelname',
	'y',
]

/** The rows of a labels CSV. */
export interface LabelledFiles {
	/** File names as they stand there. */
	readonly files: readonly string[]
	readonly labels: Int32Array
	/** Names by label where the labels are names; null where they are numbers. */
	readonly classNames: readonly string[] | null
}

interface Columns {
	readonly file: number
	readonly label: number
	/** Rows that only say what the columns are called: 1 or 0. */
	readonly headerRows: number
}

/**
 * Whether `table` looks like labels of pictures: it has a column called as file names are, or its first cell is the name of a picture.
 */
export function isLabelsTable([first]: CsvTable): boolean {
	return first !== undefined && (findHeader(first, FILE_HEADERS) >= 0 || isPicture(first[0]))
}

/**
 * Files and labels of `table`. Columns are those that `names` calls (`images`, `labels`), else those with the usual headers, else, where
 * there is no header, the first and the second. Labels that are all numbers are the labels themselves, otherwise they are class names,
 * numbered in alphabetical order like the sub-folders of a folder.
 * @throws InputError `no-column`, `empty-set`, `bad-label`, `duplicate-row`
 */
export function readLabelledFiles(table: CsvTable, path: string, names: PartNames = {}): LabelledFiles {
	const { file, label, headerRows } = findColumns(table[0] ?? [], path, names)
	const rows = table.slice(headerRows)
	if (rows.length === 0)
		throw new InputError('empty-set', `${path}: expected rows under its header, found none`, { path })
	const files = rows.map((row) => row[file]!.replaceAll('\\', '/'))
	checkUnique(files, path)
	return {
		files,
		...numberLabels(
			rows.map((row) => row[label]!),
			path,
		),
	}
}

function findColumns(first: readonly string[], path: string, names: PartNames): Columns {
	if (names.images === undefined && names.labels === undefined && isPicture(first[0])) {
		if (first.length < 2) throw noColumn(path, 'labels', first)
		return { file: 0, label: 1, headerRows: 0 }
	}
	const file = names.images === undefined ? findHeader(first, FILE_HEADERS) : first.indexOf(names.images)
	if (file < 0) throw noColumn(path, 'file names', first)
	const label = names.labels === undefined ? findHeader(first, LABEL_HEADERS) : first.indexOf(names.labels)
	if (label >= 0) return { file, label, headerRows: 1 }
	if (names.labels !== undefined || first.length !== 2) throw noColumn(path, 'labels', first)
	return { file, label: 1 - file, headerRows: 1 }
}

function findHeader(cells: readonly string[], headers: readonly string[]): number {
	const plain = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ''))
	const found = headers.find((header) => plain.includes(header))
	return found === undefined ? -1 : plain.indexOf(found)
}

function isPicture(name: string | undefined): boolean {
	return name !== undefined && IMAGE_EXTENSIONS.includes(extname(name).toLowerCase())
}

function noColumn(path: string, what: string, found: readonly string[]): InputError {
	const columns = found.map((cell) => `"${cell}"`).join(', ')
	const message = `${path}: expected a column of ${what}, found ${columns}; name the columns as in ${path}:filename,label`
	return new InputError('no-column', message, { path })
}

function checkUnique(files: readonly string[], path: string): void {
	const seen = new Set<string>()
	for (const file of files) {
		if (seen.has(file)) {
			throw new InputError('duplicate-row', `${path}: expected one row per picture, found two for ${file}`, { path })
		}
		seen.add(file)
	}
}

function numberLabels(cells: readonly string[], path: string): Pick<LabelledFiles, 'labels' | 'classNames'> {
	const empty = cells.indexOf('')
	if (empty >= 0) {
		throw new InputError('bad-label', `${path}: expected a label in every row, found none for picture ${empty}`, {
			path,
		})
	}
	// "3.0" is what a spreadsheet makes of 3; a negative or broken number is an error rather than the name of a class.
	if (cells.every((cell) => /^-?\d+(\.\d+)?$/.test(cell))) {
		return { labels: parseLabels(cells.map(Number), cells.length, `labels of ${path}`, path), classNames: null }
	}
	const classNames = [...new Set(cells)].sort()
	const numbers = new Map(classNames.map((name, i) => [name, i]))
	return { labels: Int32Array.from(cells, (cell) => numbers.get(cell)!), classNames }
}
