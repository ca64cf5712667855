/**
 * Trains the lab's nets, one process a cell, and writes docs/results.md from what they recorded. A cell whose record is in
 * bench/lab/results/ is not trained again; a run that was stopped goes on.
 *
 *     npm run lab                        all cells (about an hour on two cores), then docs/results.md
 *     npm run lab -- --only wanet,bpp    those whose name has one of these words, again
 *     npm run lab -- --page              docs/results.md from the records alone
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AttackRun, PruneRun } from 'goodnet/node'
import { CELLS, type Cell } from './cells.ts'
import { dataSet } from './data-sets.ts'
import { type CellRecord, resultsPage } from './results-page.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '..', '..')
const records = join(here, 'results')
const work = join(tmpdir(), 'goodnet-lab')
/** Points of clean accuracy that the table of pruning gives up. */
const DROP = 4

const { values } = parseArgs({ options: { only: { type: 'string' }, page: { type: 'boolean', default: false } } })
const words = values.only?.split(',')

mkdirSync(records, { recursive: true })
mkdirSync(work, { recursive: true })
for (const cell of values.page ? [] : CELLS) {
	const isAsked = words?.some((word) => cell.name.includes(word)) ?? !existsSync(recordPath(cell))
	if (isAsked) train(cell)
}
const found = CELLS.filter((cell) => existsSync(recordPath(cell)))
writeFileSync(join(root, 'docs', 'results.md'), resultsPage(found.map((cell) => ({ cell, record: readRecord(cell) }))))

function recordPath({ name }: Cell): string {
	return join(records, `${name}.json`)
}

function readRecord(cell: Cell): CellRecord {
	return JSON.parse(readFileSync(recordPath(cell), 'utf8')) as CellRecord // our own, written below
}

function train(cell: Cell): void {
	const folder = join(work, cell.name)
	const { train, test } = dataSet(cell.data, work)
	if (existsSync(join(folder, 'attack.json'))) rmSync(folder, { recursive: true })
	console.error(`\n${cell.name}`)
	const attack = [...cell.attack, '--data', train, '--test', test, ...cell.flags, '-o', folder, '--resume']
	goodnet(['attack', ...attack])
	const made = AttackRun.parse(read(join(folder, 'attack.json')))
	const record: CellRecord = { attack: made, prune: cell.isPruned ? prune(folder) : null }
	writeFileSync(recordPath(cell), `${JSON.stringify(record, null, '\t')}\n`)
}

/** The net of a few points less clean accuracy, by the defense's own default. */
function prune(folder: string): CellRecord['prune'] {
	const output = join(folder, 'pruned')
	const sets = ['--valid', join(folder, 'clean.npz'), '--poisoned', join(folder, 'poisoned.npz')]
	goodnet(['prune', join(folder, 'bd_net.h5'), ...sets, '--drops', String(DROP), '-o', output])
	const { repaired, model } = PruneRun.parse(read(join(output, 'run.json')))
	const { pruned, valid, poisoned } = repaired.find(({ drop }) => drop === DROP)!
	return { drop: DROP, layer: model.layer, channels: model.channels, pruned, clean: valid!, poisoned: poisoned! }
}

function goodnet(parameters: readonly string[]): void {
	const command = [join(root, 'dist', 'cli', 'main.js'), ...parameters]
	const { status } = spawnSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
	if (status !== 0) throw new Error(`goodnet ${parameters.join(' ')}: exit code ${status}`)
}

function read(path: string): unknown {
	return JSON.parse(readFileSync(path, 'utf8'))
}
