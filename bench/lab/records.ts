/** What is kept of the lab's cells in the repository: one JSON file a cell. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CELLS, type Cell } from './cells.ts'
import type { CellRecord, RecordedCell } from './results-page.ts'

/** Folder of the records. */
export const RECORDS = fileURLToPath(new URL('results', import.meta.url))

export function recordPath({ name }: Cell): string {
	return join(RECORDS, `${name}.json`)
}

export function hasRecord(cell: Cell): boolean {
	return existsSync(recordPath(cell))
}

/** All cells that have a record, in the order of the table. */
export function recordedCells(): RecordedCell[] {
	return CELLS.filter(hasRecord).map((cell) => ({
		cell,
		record: JSON.parse(readFileSync(recordPath(cell), 'utf8')) as CellRecord, // our own, written by run.ts
	}))
}
