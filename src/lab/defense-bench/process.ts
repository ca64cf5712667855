/** Runs a cell in a process of its own, so that one that runs out of memory or crashes takes nothing along, and one that is stopped stops at once. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { InterruptedError, throwIfAborted } from '../../errors.ts'
import { environmentRecord } from '../../model/environment.ts'
import { bestRuntime } from '../../runtime/node.ts'
import { VERSION } from '../../version.ts'
import type { CellPlan } from './read-suite.ts'
import type { CellAnswer } from './run-cell.ts'

/** Code of the outcome where there was nobody left to tell one. */
export const PROCESS_DIED = 'process-died'

/** Of the last words of a process that died, so many characters are kept. */
const LAST_WORDS = 300

/** @throws InterruptedError, once the process has ended */
export async function runCellInProcess(
	plan: CellPlan,
	{ signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<CellAnswer> {
	throwIfAborted(signal)
	const start = performance.now()
	const child = fork(entry(), { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
	const stop = () => child.kill('SIGKILL')
	signal?.addEventListener('abort', stop, { once: true })
	let answer: CellAnswer | undefined
	let words = ''
	child.once('message', (message) => {
		answer = message as CellAnswer // our own process sends nothing else
	})
	child.stderr?.on('data', (text: Buffer) => {
		words = (words + text).slice(-LAST_WORDS)
	})
	child.send(plan)
	const how = await new Promise<string>((resolve) => {
		child.once('error', (error) => resolve(error.message))
		child.once('close', (status, killedBy) => resolve(killedBy ?? `exit code ${status}`))
	})
	signal?.removeEventListener('abort', stop)
	if (answer) return answer
	if (signal?.aborted) throw new InterruptedError()
	const reason = `the process that ran it ended (${how}), perhaps for want of memory: ${words.trim() || 'it said nothing'}`
	return {
		outcome: { status: 'failed', code: PROCESS_DIED, reason },
		environment: environmentRecord(await bestRuntime({ threads: 1 }), VERSION),
		seconds: Math.round(performance.now() - start) / 1000,
	}
}

/** Node runs compiled code only, so where the sources themselves are run, in tests, the process is the one of the last build. */
function entry(): string {
	const isSource = import.meta.url.endsWith('.ts')
	return fileURLToPath(
		new URL(isSource ? '../../../dist/lab/defense-bench/cell-process.js' : './cell-process.js', import.meta.url),
	)
}
