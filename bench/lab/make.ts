/** Makes the net of a cell by `goodnet attack`, and for some cells prunes it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AttackRun, PruneRun } from 'goodnet/node'
import type { Cell } from './cells.ts'
import { dataSet } from './data-sets.ts'
import type { CellRecord } from './results-page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Nets and unpacked data stay there. */
export const LAB_FOLDER = join(tmpdir(), 'goodnet-lab')
/** Points of clean accuracy that the table of pruning gives up. */
const DROP = 4

/** Where the net of a cell is. */
export function folderOf({ name }: Cell): string {
	return join(LAB_FOLDER, name)
}

/** Has the net been made on this machine? */
export function isMade(cell: Cell): boolean {
	return existsSync(join(folderOf(cell), 'attack.json'))
}

/** Trains the net anew, or goes on with a training that was stopped. */
export async function makeCell(cell: Cell): Promise<CellRecord> {
	mkdirSync(LAB_FOLDER, { recursive: true })
	const folder = folderOf(cell)
	const { train, test } = dataSet(cell.data, LAB_FOLDER)
	if (isMade(cell)) rmSync(folder, { recursive: true })
	const attack = [...cell.attack, '--data', train, '--test', test, ...cell.flags, '-o', folder, '--resume']
	await goodnet(cell, ['attack', ...attack])
	const made = AttackRun.parse(read(join(folder, 'attack.json')))
	return { attack: made, prune: cell.isPruned ? await prune(cell, folder) : null }
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
