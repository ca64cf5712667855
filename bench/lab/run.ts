/**
 * Trains the lab's nets, one process of one thread a cell and as many at once as there are cores, and writes docs/results.md from what they
 * recorded. A cell whose record is in bench/lab/results/ is not trained again; a run that was stopped goes on.
 *
 *     npm run lab                        all cells (about an hour on two cores), then docs/results.md
 *     npm run lab -- --only wanet,bpp    those whose name has one of these words, again
 *     npm run lab -- --page              docs/results.md from the records alone
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
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
const folderOfAll = join(tmpdir(), 'goodnet-lab')
/** Points of clean accuracy that the table of pruning gives up. */
const DROP = 4

const { values } = parseArgs({ options: { only: { type: 'string' }, page: { type: 'boolean', default: false } } })
const words = values.only?.split(',')

mkdirSync(records, { recursive: true })
mkdirSync(folderOfAll, { recursive: true })
const isAsked = (cell: Cell) => words?.some((word) => cell.name.includes(word)) ?? !existsSync(recordPath(cell))
const waiting = values.page ? [] : CELLS.filter(isAsked)
await Promise.all(Array.from({ length: availableParallelism() }, work))
const found = CELLS.filter((cell) => existsSync(recordPath(cell)))
writeFileSync(join(root, 'docs', 'results.md'), resultsPage(found.map((cell) => ({ cell, record: readRecord(cell) }))))

function recordPath({ name }: Cell): string {
	return join(records, `${name}.json`)
}

function readRecord(cell: Cell): CellRecord {
	return JSON.parse(readFileSync(recordPath(cell), 'utf8')) as CellRecord // our own, written below
}

/** Takes cells until none waits. */
async function work(): Promise<void> {
	for (let cell = waiting.shift(); cell; cell = waiting.shift()) await train(cell)
}

async function train(cell: Cell): Promise<void> {
	const folder = join(folderOfAll, cell.name)
	const { train, test } = dataSet(cell.data, folderOfAll)
	if (existsSync(join(folder, 'attack.json'))) rmSync(folder, { recursive: true })
	const attack = [...cell.attack, '--data', train, '--test', test, ...cell.flags, '-o', folder, '--resume']
	await goodnet(cell, ['attack', ...attack])
	const made = AttackRun.parse(read(join(folder, 'attack.json')))
	const record: CellRecord = { attack: made, prune: cell.isPruned ? await prune(cell, folder) : null }
	writeFileSync(recordPath(cell), `${JSON.stringify(record, null, '\t')}\n`)
}

/** The net of a few points less clean accuracy, by the defense's own default. What chooses it is not what it is measured on. */
async function prune(cell: Cell, folder: string): Promise<CellRecord['prune']> {
	const output = join(folder, 'pruned')
	const sets = '--valid demo:valid --test demo:test --poisoned demo:poisoned'.split(' ')
	await goodnet(cell, ['prune', join(folder, 'bd_net.h5'), ...sets, '--drops', String(DROP), '-o', output, '--force'])
	const { repaired, model } = PruneRun.parse(read(join(output, 'run.json')))
	const { pruned, test, poisoned } = repaired.find(({ drop }) => drop === DROP)!
	return { drop: DROP, layer: model.layer, channels: model.channels, pruned, clean: test!, poisoned: poisoned! }
}

/** Runs a command; what it says on its way stands behind the name of the cell. */
async function goodnet({ name }: Cell, parameters: readonly string[]): Promise<void> {
	const command = [join(root, 'dist', 'cli', 'main.js'), ...parameters, '--threads', '1']
	const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] })
	child.stderr.on('data', (text: Buffer) => process.stderr.write(`${name}: ${text}`))
	const [status] = await once(child, 'close')
	if (status !== 0) throw new Error(`goodnet ${parameters.join(' ')}: exit code ${status}`)
}

function read(path: string): unknown {
	return JSON.parse(readFileSync(path, 'utf8'))
}
