/** The process of one cell, started by `process.ts`: told the plan, it answers once and ends. */
import { bestRuntime } from '../../runtime/node.ts'
import type { CellPlan } from './read-suite.ts'
import { runCell } from './run-cell.ts'

// Ctrl-C goes to every process of the terminal; the one above decides.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
// Nobody is left to answer to.
process.on('disconnect', () => process.exit())

process.once('message', async (plan: CellPlan) => {
	const answer = await runCell(plan, await bestRuntime({ threads: 1 }))
	process.send!(answer, () => process.disconnect())
})
