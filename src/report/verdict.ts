/** Whether the repair worked, said honestly and in full sentences. */
import type { AnyRun } from './reported-run.ts'
import { pruneVerdict } from './verdict-prune.ts'
import { repairVerdict } from './verdict-repair.ts'
import type { VerdictParts } from './verdict-words.ts'

/** Whether the net of `run` was repaired, by which counts and at which price; then the cheapest net that does, if another. */
export function verdict(run: AnyRun): string {
	const { finding, remark } = verdictParts(run)
	return remark === '' ? finding : `${finding} ${remark}`
}

/** The verdict in its parts. */
export function verdictParts(run: AnyRun): VerdictParts {
	return run.schema === 'goodnet/prune@1' ? pruneVerdict(run) : repairVerdict(run)
}
