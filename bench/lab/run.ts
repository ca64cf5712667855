/**
 * Trains the lab's nets, one process of one thread a cell and as many at once as there are cores, and writes docs/results.md from what they
 * recorded. A cell whose record is in bench/lab/results/ is not trained again; a run that was stopped goes on.
 *
 *     npm run lab                        all cells (about an hour on two cores), then docs/results.md
 *     npm run lab -- --only wanet,bpp    those whose name has one of these words, again
 *     npm run lab -- --page              docs/results.md from the records alone
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { writeResultsPage } from '../results-page.ts'
import { CELLS, type Cell } from './cells.ts'
import { makeCell } from './make.ts'
import { hasRecord, RECORDS, recordPath } from './records.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, page: { type: 'boolean', default: false } } })
const words = values.only?.split(',')

mkdirSync(RECORDS, { recursive: true })
const isAsked = (cell: Cell) => words?.some((word) => cell.name.includes(word)) ?? !hasRecord(cell)
const waiting = values.page ? [] : CELLS.filter(isAsked)
await Promise.all(Array.from({ length: availableParallelism() }, work))
writeResultsPage()

/** Takes cells until none waits. */
async function work(): Promise<void> {
	for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
		writeFileSync(recordPath(cell), `${JSON.stringify(await makeCell(cell), null, '\t')}\n`)
	}
}
