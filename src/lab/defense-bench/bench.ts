/** The bench of defenses: runs the cells that are not there yet, several at once, and writes each as soon as it is done. */
import { type CellIdentity, DefenseCell } from '../../contracts/defense-cell.ts'
import { throwIfAborted } from '../../errors.ts'
import { bestRuntime } from '../../runtime/node.ts'
import { cellFile, readCell, writeCell } from './cells-folder.ts'
import { PROCESS_DIED, runCellInProcess } from './process.ts'
import type { CellPlan } from './read-suite.ts'
import { type CellAnswer, OWN_FAULTS } from './run-cell.ts'
import { identityOf, imagesOf, openSubject } from './subject.ts'

export interface BenchOptions {
	/** Where `cells/` is. */
	readonly folder: string
	/** Cells under way at once, of one thread each. */
	readonly jobs: number
	/** Run cells that are there, too. */
	readonly isForced?: boolean
	readonly signal?: AbortSignal | undefined
	/** Before the first cell runs: how many must. */
	readonly onPlanned?: ((due: number, kept: number) => void) | undefined
	/** After each cell that was run. */
	readonly onCell?: ((cell: DefenseCell, done: number, due: number) => void) | undefined
	/** How a cell is run; default: in a process of its own. */
	readonly run?: typeof runCellInProcess
}

/** A cell that is to be run, with what is known of it beforehand. */
interface DueCell extends Pick<DefenseCell, 'identity' | 'images'> {
	readonly plan: CellPlan
}

/**
 * Runs `plans` whose cells are not in the folder with the same identity, and those that failed by no fault of the method.
 *
 * @returns how many cells were run, and how many were there
 * @throws as `openSubject` for the first net or set that does not fit (nothing has been run then); InputError `bad-cell`, `disk-full`,
 *   `not-writable`; InterruptedError, with all finished cells written
 */
export async function benchDefenses(
	plans: readonly CellPlan[],
	options: BenchOptions,
): Promise<{ readonly ran: number; readonly kept: number }> {
	const due = await dueCells(plans, options)
	const kept = plans.length - due.length
	options.onPlanned?.(due.length, kept)
	await runCells(due, options)
	return { ran: due.length, kept }
}

async function dueCells(plans: readonly CellPlan[], options: BenchOptions): Promise<DueCell[]> {
	const { folder, isForced = false, signal } = options
	const runtime = await bestRuntime({ threads: 1 })
	const due = new Map<CellPlan, DueCell>()
	for (const subject of new Set(plans.map((plan) => plan.subject))) {
		throwIfAborted(signal)
		const opened = await openSubject(subject, runtime)
		try {
			for (const plan of plans.filter((each) => each.subject === subject)) {
				const identity = await identityOf(plan, opened)
				const cell = isForced ? null : await readCell(folder, cellFile(subject.name, plan.label, plan.seed))
				if (!isKept(cell, identity)) due.set(plan, { plan, identity, images: imagesOf(opened) })
			}
		} finally {
			opened.close()
		}
	}
	return plans.flatMap((plan) => due.get(plan) ?? [])
}

/** Failures that say nothing of the method: the machine's, and our own. */
const RETRIED: readonly string[] = [PROCESS_DIED, ...OWN_FAULTS]

function isKept(cell: DefenseCell | null, identity: CellIdentity): boolean {
	if (!cell || (cell.outcome.status === 'failed' && RETRIED.includes(cell.outcome.code))) return false
	return JSON.stringify(cell.identity) === JSON.stringify(DefenseCell.shape.identity.parse(identity))
}

async function runCells(due: readonly DueCell[], options: BenchOptions): Promise<void> {
	const { folder, jobs, onCell, run = runCellInProcess } = options
	const failure = new AbortController()
	const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal
	const waiting = [...due]
	let done = 0
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			throwIfAborted(signal)
			const cell = cellOf(next, await run(next.plan, { signal }))
			await writeCell(folder, cell)
			onCell?.(cell, ++done, due.length)
		}
	}
	let first: unknown
	// The first to fail stops the others; none is left running when this ends.
	const lanes = Array.from({ length: jobs }, () =>
		work().catch((error: unknown) => {
			first ??= error
			failure.abort()
		}),
	)
	await Promise.all(lanes)
	if (first !== undefined) throw first
}

function cellOf({ plan, identity, images }: DueCell, answer: CellAnswer): DefenseCell {
	const { name, group = null, note = null, isBackdoored } = plan.subject
	return {
		schema: 'goodnet/defense-cell@1',
		subject: { name, group, note, isBackdoored },
		method: plan.label,
		isOracle: plan.isOracle,
		identity,
		images,
		...answer,
	}
}
