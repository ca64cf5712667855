#!/usr/bin/env node
/** The `goodnet` command: the one place that knows the process, catches errors and sets the exit code. */
import { GoodnetError, InterruptedError } from '../errors.ts'
import { runProgram } from './program.ts'

const INTERRUPTED = 130
const OUR_FAULT = 1

const interrupt = new AbortController()
// Ctrl-C, a closed terminal and a polite kill all end the same way: nothing half-written stays.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	process.on(signal, () => {
		// A second one does not wait for anything.
		if (interrupt.signal.aborted) process.exit(INTERRUPTED)
		interrupt.abort()
	})
}
// A reader that had enough (`goodnet … | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : OUR_FAULT))

const argv = process.argv.slice(2)

try {
	process.exitCode = await runProgram(argv, {
		print: (text) => process.stdout.write(`${text}\n`),
		columns: process.stdout.columns,
		stderr: process.stderr,
		signal: interrupt.signal,
		commandLine: ['goodnet', ...argv.map(quote)].join(' '),
		now: () => performance.now(),
	})
} catch (error) {
	process.exitCode = report(error)
}

/** One line for what users can mend; the stack and a plea to report it for what they cannot. */
function report(error: unknown): number {
	const thrown = interrupt.signal.aborted ? new InterruptedError() : error
	if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K')
	if (thrown instanceof GoodnetError) {
		process.stderr.write(`goodnet: ${thrown.message}\n`)
		return thrown.exitCode
	}
	const stack = thrown instanceof Error ? thrown.stack : String(thrown)
	process.stderr.write(`goodnet: a fault in goodnet itself; please report it with this:\n${stack}\n`)
	return OUR_FAULT
}

/** An argument as one would type it into a POSIX shell. */
function quote(argument: string): string {
	return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}
