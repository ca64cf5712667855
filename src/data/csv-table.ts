/** CSV files as strings in rows: comma, semicolon or tab, quoted or not, with or without a byte order mark (RFC 4180). */
import { readFile, stat } from 'node:fs/promises'
import { type CsvError, parse } from 'csv-parse/sync'
import { FormatError, InputError, messageOf } from '../errors.ts'

/** A million rows of 64 bytes; the list of ImageNet's training pictures takes 40 MB. The file is held while it is parsed. */
const MAX_BYTES = 64 * 2 ** 20

/** A row names a file and a few numbers. */
const MAX_ROW_BYTES = 2 ** 16

/** At least one row; all have the same number of cells, trimmed. */
export type CsvTable = readonly (readonly string[])[]

/**
 * The table in the CSV file `path`. What stands most often in the first line separates the cells.
 * @throws InputError `empty-set` without rows, `csv-too-large`; FormatError `corrupt-csv`, with the line, on an open quote or a row of
 *   another length
 */
export async function readCsv(path: string): Promise<CsvTable> {
	const { size } = await stat(path)
	if (size > MAX_BYTES) {
		const message = `${path}: expected at most ${MAX_BYTES} bytes of CSV, found ${size}; divide the set`
		throw new InputError('csv-too-large', message, { path })
	}
	const text = await readFile(path, 'utf8')
	const rows = parseRows(text, path)
	if (rows.length === 0)
		throw new InputError('empty-set', `${path}: expected rows of file and label, found none`, { path })
	return rows
}

function parseRows(text: string, path: string): string[][] {
	try {
		return parse(text, {
			bom: true,
			delimiter: separatorOf(text),
			trim: true,
			skip_empty_lines: true,
			max_record_size: MAX_ROW_BYTES,
		})
	} catch (error) {
		// The parser throws nothing but CsvError, whose first line is the reason.
		const message = `${path}: expected a sound CSV file, found a damaged one (${messageOf(error as CsvError).split('\n')[0]})`
		throw new FormatError('corrupt-csv', message, { path, cause: error })
	}
}

function separatorOf(text: string): string {
	const line = /^[^\r\n]*/.exec(text)?.[0] ?? ''
	const count = (separator: string) => line.split(separator).length
	return [',', ';', '\t'].reduce((best, separator) => (count(separator) > count(best) ? separator : best))
}
