/** The closing table of `prune`, as plain text for a terminal. */
import type { PruneRun, RankingRecord } from '../contracts/prune-run.ts'
import { chosenHeading, chosenLines } from './chosen.ts'
import { type CleanSet, cleanSetOf, describeSet } from './clean-set.ts'
import { alignColumns, belowRates, besideRates, type RateLayout } from './columns.ts'
import { compactLines } from './compact-lines.ts'
import { formatCount, formatRateParts } from './format.ts'
import { pairedLines } from './pairs.ts'
import { notReachedLines, type ResultRow, resultRows, type Share, usedColumns } from './rows.ts'
import { wrapWords } from './wrap.ts'

/** Wide enough for every interval beside its rate, unless robust accuracy is known. */
const DEFAULT_WIDTH = 120

/**
 * The result of a run as an aligned table: B, then repaired net and GoodNet for each drop, every rate with its 95 % interval; below
 * it the sets that were measured and the drops that were not reached. Lines end with a newline.
 *
 * @param width columns of the terminal; where it is too narrow, intervals stand below their rates
 */
export function closingTable(run: PruneRun, width = DEFAULT_WIDTH): string {
	const rows = resultRows(run)
	const wide = tableLines(run, rows, besideRates)
	const table = wide.every((line) => line.length <= width) ? wide : tableLines(run, rows, belowRates)
	const captions = [...captionLines(run), ...notReachedLines(run), ...compactLines(run)].map((line) =>
		wrapWords(line, width),
	)
	return [...table, '', ...captions].map((line) => `${line}\n`).join('')
}

function tableLines(run: PruneRun, rows: readonly ResultRow[], { linesPerRow, cells }: RateLayout): string[] {
	const words = (texts: string[]) => texts.flatMap((text) => (linesPerRow === 1 ? [text] : [text, '']))
	const parts = (share: Share | null) =>
		share ? formatRateParts(share.hits, share.total) : { share: '–', interval: '' }
	return alignColumns([
		[chosenHeading(run), ...words(rows.map(({ net, drop }) => (net === 'GoodNet' ? '' : drop)))],
		['net', ...words(rows.map(({ net }) => net))],
		['pruned', ...words(rows.map(({ net, pruned }) => (net === 'GoodNet' ? '' : pruned)))],
		...usedColumns(run, rows).map(({ key, heading }) => [heading, ...cells(rows.map((row) => parts(row.rates[key])))]),
	])
}

function captionLines(run: PruneRun): string[] {
	const set = cleanSetOf(run)
	const { poisoned } = run.data
	return [
		...(set ? [cleanCaption(set)] : []),
		poisoned
			? `ASR (attack success rate): ${formatCount(poisoned.counted)} poisoned images, ${poisoned.path}, target label ${poisoned.target}`
			: 'ASR was not measured: no --poisoned set',
		...(run.ranking && run.ranking.name !== 'mean' ? [rankingCaption(run.ranking)] : []),
		...(run.data.valid && hasDrops(run)
			? [`drop: points of ${describeSet('valid', run.data.valid).phrase} given up`]
			: []),
		...chosenLines(run),
		'brackets: 95 % intervals',
		'B: the net as it came; GoodNet: answers where B and the repaired net agree, and rejects the image where they differ',
		...pairedLines(run),
	]
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
