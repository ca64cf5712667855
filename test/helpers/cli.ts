/** Runs the command line in this process, as `main.ts` would, and collects what it prints. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../src/cli/program.ts'
import { GoodnetError } from '../../src/errors.ts'

export interface CliResult {
	readonly exitCode: number
	readonly stdout: string
	readonly stderr: string
}

/** `goodnet …argv`. Errors raised on purpose become their exit code and message; anything else fails the test. */
export async function goodnet(argv: readonly string[], signal = new AbortController().signal): Promise<CliResult> {
	let stdout = ''
	let stderr = ''
	const io = {
		print: (text: string) => {
			stdout += `${text}\n`
		},
		stderr: { write: (text: string) => (stderr += text) },
		signal,
		commandLine: ['goodnet', ...argv].join(' '),
		now: () => performance.now(),
	}
	try {
		return { exitCode: await runProgram(argv, io), stdout, stderr }
	} catch (error) {
		if (!(error instanceof GoodnetError)) throw error
		return { exitCode: error.exitCode, stdout, stderr: `${stderr}goodnet: ${error.message}\n` }
	}
}

/** Runs `body` with the path of a fresh folder, which is gone afterwards. */
export async function inTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'goodnet-'))
	try {
		return await body(folder)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}
