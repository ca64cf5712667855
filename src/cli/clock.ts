/** How long a command takes, stage by stage. */
import type { RunFacts } from '../defense/prune/record.ts'
import { VERSION } from '../version.ts'
import type { Io } from './command.ts'

/** Seconds of each stage of a run, for its record. */
export interface Clock {
	lap(stage: string): void
	facts(): RunFacts
}

export function startClock(io: Io): Clock {
	const start = io.now()
	let last = start
	const laps: Record<string, number> = {}
	const since = (time: number) => Math.round(io.now() - time) / 1000
	return {
		lap(stage) {
			laps[stage] = since(last)
			last = io.now()
		},
		facts: () => ({
			command: io.commandLine,
			goodnetVersion: VERSION,
			seconds: { ...laps, total: since(start) },
		}),
	}
}
