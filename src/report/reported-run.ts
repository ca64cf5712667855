/** A run as every report sees it, whichever command made it: B, the repaired nets, and the sets on which all were measured. */
import type { PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import type { NetCounts, RepairedNetRecord, RepairRun } from '../contracts/repair-run.ts'
import { chosenHeading, chosenLabel, chosenNet, chosenPlace, chosenShort } from './chosen.ts'
import { baselineOf } from './clean-set.ts'

export type AnyRun = PruneRun | RepairRun

/** A repaired net with its GoodNet. */
export interface ReportedNet extends NetCounts {
	/** What tells it from the run's other nets, for a cell: `2`, `elbow`; empty where it is the only one. */
	readonly label: string
	/** Within a sentence: `the 2-point net`, `the repaired net`. */
	readonly name: string
	/** Where it stands, `at the 2-point drop`; empty where it is the only one. */
	readonly place: string
	/** The same as the subject of a sentence: `at 2 points`. */
	readonly short: string
	/** Channels pruned of all, `45/60`; null where the run does not count them. */
	readonly pruned: string | null
	/** A number that is greater the more the net was changed. */
	readonly strength: number
	readonly goodnet: RepairedRecord['goodnet']
}

export interface ReportedRun {
	readonly data: Pick<PruneRun['data'], 'valid' | 'test' | 'poisoned'>
	/** B as it came; null where it was not measured. */
	readonly before: NetCounts | null
	readonly nets: readonly ReportedNet[]
	/** What was done to the clean twin, measured on the same sets. */
	readonly twin: Pick<ReportedRun, 'before' | 'nets'> | null
	/** Channels pruned of B, `0/60`. */
	readonly unpruned: string | null
	/** Heading of the nets' labels; null where there are none. */
	readonly heading: string | null
	/** Is the DER of each net shown? The table of `prune` has no room for it. */
	readonly isRated: boolean
}

/** What reports want to know of `run`. */
export function reportedRun(run: AnyRun): ReportedRun {
	return run.schema === 'goodnet/prune@1' ? reportedPruning(run) : reportedRepair(run)
}

function reportedPruning(run: PruneRun): ReportedRun {
	const { channels } = run.model
	return {
		data: run.data,
		before: baselineOf(run) ?? null,
		nets: run.repaired.map((record) => ({
			...record,
			label: chosenLabel(record),
			name: chosenNet(record),
			place: chosenPlace(record),
			short: chosenShort(record),
			pruned: `${record.pruned}/${channels}`,
			strength: record.pruned,
		})),
		twin: null,
		unpruned: `0/${channels}`,
		heading: chosenHeading(run),
		isRated: false,
	}
}

function reportedRepair({ data, before, repaired, twin }: RepairRun): ReportedRun {
	return {
		data,
		before,
		nets: repaired.map(reportedNet),
		twin: twin && { before: twin.before, nets: twin.repaired.map(reportedNet) },
		unpruned: null,
		heading: repaired.some(({ name }) => name !== '') ? 'name' : null,
		isRated: true,
	}
}

/** Methods hand out their nets in the order of what they give up. */
function reportedNet({ name, after, goodnet }: RepairedNetRecord, strength: number): ReportedNet {
	const isOnly = name === ''
	return {
		...after,
		label: name,
		name: isOnly ? 'the repaired net' : `net ${name}`,
		place: isOnly ? '' : `in net ${name}`,
		short: isOnly ? 'in the repaired net' : `in net ${name}`,
		pruned: null,
		strength,
		goodnet,
	}
}
