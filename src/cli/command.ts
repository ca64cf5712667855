/** What a command is: data for parsing and help, and one function that calls what a library user would call. */
import type { z } from 'zod'

/** The outside world of a command, handed in so that tests need no process. */
export interface Io {
	/** Results: stdout. A newline is added. */
	readonly print: (text: string) => void
	/** Width of stdout where it is a terminal. */
	readonly columns?: number | undefined
	/** Progress and remarks: stderr. */
	readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }
	/** Aborted by Ctrl-C. */
	readonly signal: AbortSignal
	/** The command line as typed, for the record. */
	readonly commandLine: string
	/** Milliseconds, for rates and durations. */
	readonly now: () => number
}

/** The width to write for where stdout is no terminal: enough for the table of results. */
export const DEFAULT_COLUMNS = 120

/** A flag in commander's spelling, with what it does. */
export type Flag = readonly [flags: string, description: string, fallback?: string]

export interface Command<Options> {
	readonly name: string
	readonly summary: string
	/** Positional arguments in commander's spelling: `<model>`, `[images...]`. */
	readonly arguments: readonly (readonly [name: string, description: string])[]
	readonly flags: readonly Flag[]
	/** Flags that may be given several times, as `--set`; their option is a list. */
	readonly repeatable?: readonly string[]
	readonly options: z.ZodType<Options>
	/** What else the help says, below the flags. */
	readonly notes?: string
	/** Longer help, printed below the flags: a real example. */
	readonly example: string
	/** @returns the exit code: 0 fine, 10 a gate failed. Everything else is thrown. */
	run(positional: readonly string[], options: Options, io: Io): Promise<number>
}

/** Lets a table of commands forget each one's option type, after making sure that parser and function agree on it. */
export function defineCommand<Options>(command: Command<Options>): Command<unknown> {
	// The function is only ever called with what its own schema returned, so the two casts meet.
	return command as Command<unknown>
}
