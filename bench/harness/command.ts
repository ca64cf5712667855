/** The command line as a user runs it: a fresh process, its seconds and the peak of its memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const reportPeak = new URL('report-peak.mjs', import.meta.url).href

export interface CommandCost {
	/** Wall clock, from start to end of the process. */
	readonly seconds: number
	/** Resident memory at its highest. */
	readonly peakBytes: number
}

/** Runs `goodnet …parameters`. @throws Error with its words where it fails */
export async function runCommand(parameters: readonly string[]): Promise<CommandCost> {
	const start = performance.now()
	const child = spawn(process.execPath, ['--import', reportPeak, program, ...parameters], {
		stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
	})
	const [, , stderr, peak] = child.stdio
	// Both are pipes, as asked for above.
	const read = (stream: typeof stderr | typeof peak) => text(stream as NodeJS.ReadableStream)
	const [words, peakBytes, [status]] = await Promise.all([read(stderr), read(peak), once(child, 'exit')])
	if (status !== 0) throw new Error(`goodnet ${parameters.join(' ')} ended with ${status}: ${words}`)
	return { seconds: (performance.now() - start) / 1000, peakBytes: Number(peakBytes) }
}
