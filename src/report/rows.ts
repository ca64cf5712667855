/** The result table as data: a row for B, and two for each repaired net. The terminal and the page lay it out. */
import type { CleanCount, PoisonedCount, PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { pointsLost } from '../metrics/rates.ts'
import { chosenLabel } from './chosen.ts'
import { baselineOf, cleanCount, cleanSetOf, describeSet } from './clean-set.ts'
import { formatPoints } from './format.ts'

/** A share as counts. */
export interface Share {
	readonly hits: number
	readonly total: number
}

/** One net. A rate is null where it was not measured or does not exist (B rejects nothing). */
export interface ResultRow {
	/** What it was chosen by, the drop in points for one; empty for B. */
	readonly drop: string
	readonly net: 'B' | 'repaired net' | 'GoodNet'
	/** Channels pruned of all, `45/60`. */
	readonly pruned: string
	readonly rates: Readonly<Record<RateColumn, Share | null>>
}

/** The rates of a row, in the order of their columns. */
export const RATE_COLUMNS = ['clean', 'asr', 'robust', 'rejectedClean', 'rejectedPoisoned'] as const
export type RateColumn = (typeof RATE_COLUMNS)[number]

/** Rows of the closing table: B first, then repaired net and GoodNet for each record. */
export function resultRows(run: PruneRun): ResultRow[] {
	const set = cleanSetOf(run)
	const baseline = baselineOf(run)
	const b = baseline && rates(cleanCount(baseline, set), baseline.poisoned)
	const first: ResultRow[] = b ? [{ drop: '', net: 'B', pruned: `0/${run.model.channels}`, rates: b }] : []
	return [...first, ...run.repaired.flatMap((record) => recordRows(run, record))]
}

function recordRows(run: PruneRun, record: RepairedRecord): ResultRow[] {
	const set = cleanSetOf(run)
	const drop = chosenLabel(record)
	const pruned = `${record.pruned}/${run.model.channels}`
	const { goodnet } = record
	return [
		{ drop, net: 'repaired net', pruned, rates: rates(cleanCount(record, set), record.poisoned) },
		{ drop, net: 'GoodNet', pruned, rates: rates(cleanCount(goodnet, set), goodnet.poisoned) },
	]
}

function rates(
	clean: (CleanCount & { rejected?: number }) | null,
	poisoned: (PoisonedCount & { rejected?: number }) | null,
): ResultRow['rates'] {
	return {
		clean: share(clean?.correct, clean?.total),
		asr: share(poisoned?.hits, poisoned?.total),
		robust: share(poisoned?.recovered, poisoned?.total),
		rejectedClean: share(clean?.rejected, clean?.total),
		rejectedPoisoned: share(poisoned?.rejected, poisoned?.total),
	}
}

function share(hits: number | null | undefined, total: number | undefined): Share | null {
	return hits === null || hits === undefined || total === undefined ? null : { hits, total }
}

/** The rate columns of which at least one row has a value, each with its heading. */
export function usedColumns(run: PruneRun, rows: readonly ResultRow[]): { key: RateColumn; heading: string }[] {
	const headings: Record<RateColumn, string> = {
		clean: cleanSetOf(run)?.quantity ?? 'clean accuracy',
		asr: 'ASR',
		robust: 'robust accuracy',
		rejectedClean: 'rejected clean',
		rejectedPoisoned: 'rejected poisoned',
	}
	const used = RATE_COLUMNS.filter((key) => rows.some((row) => row.rates[key] !== null))
	return used.map((key) => ({ key, heading: headings[key] }))
}

/** A line for each drop that no net of the sweep reached, with how far the sweep came. */
export function notReachedLines(run: PruneRun): string[] {
	const reach = farthestDrop(run)
	return run.notReached.map((drop) => `${formatPoints(drop)}: not reached${reach === null ? '' : `; ${reach}`}`)
}

/** How far the sweep came on the validation set, in words; null where nothing was measured on it. */
export function farthestDrop(run: PruneRun): string | null {
	const baseline = baselineOf(run)?.valid
	const { valid } = run.data
	if (!baseline || valid === null) return null
	const lost = run.steps.flatMap((step) => (step.valid ? [pointsLost(baseline, step.valid)] : []))
	const most = Math.max(...run.steps.map((step) => step.pruned))
	const { phrase } = describeSet('valid', valid)
	const fall = Math.max(...lost).toFixed(2)
	return `with up to ${most} of ${run.model.channels} channels pruned, ${phrase} falls by at most ${fall} points`
}
