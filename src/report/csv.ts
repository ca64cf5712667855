/** The prune curve as `curve.csv`. */
import type { PruneRun, StepRecord } from '../contracts/prune-run.ts'

const HEADER = [
	'pruned',
	'channel',
	'valid_correct',
	'valid_total',
	'test_correct',
	'test_total',
	'poisoned_hits',
	'poisoned_total',
	'mean_activation',
	'score',
]

/** One line per net of the sweep, counts only; a cell is empty where nothing was measured. Ends with a newline. */
export function curveCsv(run: PruneRun): string {
	const lines = run.steps.map((step) => stepCells(step, run).map((cell) => cell ?? ''))
	return [HEADER, ...lines].map((cells) => `${cells.join(',')}\n`).join('')
}

function stepCells(step: StepRecord, { meanActivation, ranking }: PruneRun): (number | null | undefined)[] {
	const { pruned, channel, valid, test, poisoned } = step
	const of = (list: readonly number[] | null | undefined) => (channel === null ? null : list?.[channel])
	return [
		pruned,
		channel,
		valid?.correct,
		valid?.total,
		test?.correct,
		test?.total,
		poisoned?.hits,
		poisoned?.total,
		of(meanActivation),
		of(ranking?.scores),
	]
}
