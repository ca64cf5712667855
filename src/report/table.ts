/** The closing table of `prune`, as plain text for a terminal. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { type CleanSet, cleanSetOf, describeSet } from './clean-set.ts'
import { formatCount, formatRateParts } from './format.ts'
import { pairedLines } from './pairs.ts'
import { notReachedLines, resultRows, type Share, usedColumns } from './rows.ts'

/**
 * The result of a run as an aligned table: B, then repaired net and GoodNet for each drop, every rate with its 95 % interval; below
 * it the sets that were measured and the drops that were not reached. At most 120 columns wide unless robust accuracy is known.
 * Lines end with a newline.
 */
export function closingTable(run: PruneRun): string {
	const rows = resultRows(run)
	const rateColumns = usedColumns(run, rows)
	const columns = [
		['drop', ...rows.map(({ net, drop }) => (net === 'GoodNet' ? '' : drop))],
		['net', ...rows.map(({ net }) => net)],
		['pruned', ...rows.map(({ net, pruned }) => (net === 'GoodNet' ? '' : pruned))],
		...rateColumns.map(({ key, heading }) => [heading, ...rateCells(rows.map((row) => row.rates[key]))]),
	]
	const lines = [...alignColumns(columns), '', ...captionLines(run), ...notReachedLines(run)]
	return lines.map((line) => `${line}\n`).join('')
}

/** Shares right-aligned under each other, each with its interval beside it. */
function rateCells(shares: readonly (Share | null)[]): string[] {
	const parts = shares.map((share) => (share ? formatRateParts(share.hits, share.total) : { share: '–', interval: '' }))
	const width = Math.max(...parts.map(({ share }) => share.length))
	return parts.map(({ share, interval }) => `${share.padStart(width)} ${interval}`.trimEnd())
}

/** Lines of text from columns whose first cell is the heading: each padded to its widest cell, two spaces between, ruled below. */
function alignColumns(columns: readonly (readonly string[])[]): string[] {
	const padded = columns.map((cells) => {
		const width = Math.max(...cells.map((cell) => cell.length))
		const [heading = '', ...body] = cells.map((cell) => cell.padEnd(width))
		return [heading, '─'.repeat(width), ...body]
	})
	const height = padded[0]?.length ?? 0
	return Array.from({ length: height }, (_, line) =>
		padded
			.map((cells) => cells[line])
			.join('  ')
			.trimEnd(),
	)
}

function captionLines(run: PruneRun): string[] {
	const set = cleanSetOf(run)
	const { poisoned } = run.data
	return [
		...(set ? [cleanCaption(set)] : []),
		poisoned
			? `ASR: ${formatCount(poisoned.counted)} poisoned images, ${poisoned.path}, target label ${poisoned.target}`
			: 'ASR was not measured: no --poisoned set',
		...(run.data.valid && hasDrops(run)
			? [`drop: points of ${describeSet('valid', run.data.valid).phrase} given up`]
			: []),
		'brackets: 95 % intervals',
		...pairedLines(run),
	]
}

/** Whether the run was asked for drops, not for channels. */
function hasDrops(run: PruneRun): boolean {
	return run.notReached.length > 0 || run.repaired.some(({ drop }) => drop !== null)
}

function cleanCaption({ key, record, quantity }: CleanSet): string {
	return `${quantity}: ${key} set, ${formatCount(record.images)} images, ${record.path}`
}
