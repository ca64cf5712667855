/** The closing table of a run, as plain text for a terminal. */
import type { PruneRun, RankingRecord } from '../contracts/prune-run.ts'
import type { RepairRun } from '../contracts/repair-run.ts'
import { chosenLines } from './chosen.ts'
import { type CleanSet, cleanSetOf, describeSet } from './clean-set.ts'
import { alignColumns, belowRates, besideRates, type RateLayout } from './columns.ts'
import { compactLines } from './compact-lines.ts'
import { formatCount } from './format.ts'
import { pairedLines } from './pairs.ts'
import { notReachedLines } from './reach.ts'
import { methodLines, RATING_LINE } from './repair-lines.ts'
import { type AnyRun, type ReportedRun, reportedRun } from './reported-run.ts'
import { type ResultRow, resultRows, usedColumns } from './rows.ts'
import { wrapWords } from './wrap.ts'

/** Wide enough for every interval beside its rate, unless robust accuracy is known. */
const DEFAULT_WIDTH = 120

/**
 * The result of a run as an aligned table: B, then repaired net and GoodNet for each drop, every rate with its 95 % interval; below
 * it the sets that were measured and the drops that were not reached. Lines end with a newline.
 *
 * @param width columns of the terminal; where it is too narrow, intervals stand below their rates
 */
export function closingTable(run: AnyRun, width = DEFAULT_WIDTH): string {
	const reported = reportedRun(run)
	const rows = resultRows(reported)
	const wide = tableLines(reported, rows, besideRates)
	const table = wide.every((line) => line.length <= width) ? wide : tableLines(reported, rows, belowRates)
	const captions = captionLines(run, reported).map((line) => wrapWords(line, width))
	return [...table, '', ...captions].map((line) => `${line}\n`).join('')
}

function tableLines(run: ReportedRun, rows: readonly ResultRow[], { linesPerRow, cells }: RateLayout): string[] {
	const words = (texts: string[]) => texts.flatMap((text) => (linesPerRow === 1 ? [text] : [text, '']))
	const labels = rows.map(({ label, isGuard }) => (isGuard ? '' : label))
	const pruned = rows.map(({ pruned, isGuard }) => (isGuard ? '' : (pruned ?? '')))
	return alignColumns([
		...(run.heading === null ? [] : [[run.heading, ...words(labels)]]),
		['net', ...words(rows.map(({ net }) => net))],
		...(run.unpruned === null ? [] : [['pruned', ...words(pruned)]]),
		...usedColumns(run, rows).map(({ heading, cell }) => [heading, ...cells(rows.map(cell))]),
	])
}

function captionLines(run: AnyRun, reported: ReportedRun): string[] {
	const set = cleanSetOf(run)
	const { poisoned } = run.data
	const isPruning = run.schema === 'goodnet/prune@1'
	return [
		...(set ? [cleanCaption(set)] : []),
		poisoned
			? `ASR (attack success rate): ${formatCount(poisoned.counted)} poisoned images, ${poisoned.path}, target label ${poisoned.target}`
			: 'ASR was not measured: no --poisoned set',
		...(isPruning ? pruningCaptions(run) : repairCaptions(run)),
		'brackets: 95 % intervals',
		'B: the net as it came; GoodNet: answers where B and the repaired net agree, and rejects the image where they differ',
		...pairedLines(reported),
		...(isPruning ? [...notReachedLines(run), ...compactLines(run)] : []),
	]
}

function pruningCaptions(run: PruneRun): string[] {
	const { ranking, data } = run
	return [
		...(ranking && ranking.name !== 'mean' ? [rankingCaption(ranking)] : []),
		...(data.valid && hasDrops(run) ? [`drop: points of ${describeSet('valid', data.valid).phrase} given up`] : []),
		...chosenLines(run),
	]
}

function repairCaptions(run: RepairRun): string[] {
	return [...methodLines(run), ...(run.data.poisoned ? [RATING_LINE] : [])]
}

function rankingCaption({ name, quantity, first, seed }: RankingRecord): string {
	return `ranking ${name}: ${quantity}, ${first} first${seed === null ? '' : `, seed ${seed}`}`
}

/** Whether the run was asked for drops, not for channels. */
function hasDrops(run: PruneRun): boolean {
	return run.notReached.length > 0 || run.repaired.some(({ drop }) => drop !== null)
}

function cleanCaption({ key, record, quantity }: CleanSet): string {
	return `${quantity}: ${key} set, ${formatCount(record.images)} images, ${record.path}`
}
