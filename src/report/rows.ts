/** The result table as data: a row for B, and two for each repaired net. The terminal and the page lay it out. */
import type { CleanCount, PoisonedCount } from '../contracts/prune-run.ts'
import type { NetCounts } from '../contracts/repair-run.ts'
import { der } from '../metrics/rates.ts'
import { cleanCount, cleanSetOf } from './clean-set.ts'
import { formatOf, formatRateParts } from './format.ts'
import type { ReportedNet, ReportedRun } from './reported-run.ts'

/** A share as counts. */
export interface Share {
	readonly hits: number
	readonly total: number
}

/** One net. A rate is null where it was not measured or does not exist (B rejects nothing). */
export interface ResultRow {
	/** What it was chosen by, the drop in points for one; empty for B. */
	readonly label: string
	/** `B`, `repaired net`, `GoodNet`; of the clean twin with its name. */
	readonly net: string
	/** The row of a GoodNet stands below that of its repaired net, and does not repeat the label. */
	readonly isGuard: boolean
	/** Channels pruned of all, `45/60`; null where the run does not count them. */
	readonly pruned: string | null
	readonly rates: Readonly<Record<RateColumn, Share | null>>
	/** The defense effectiveness rating, 0..1; null where the run has none. */
	readonly rating: number | null
}

const RATE_COLUMNS = ['clean', 'asr', 'robust', 'rejectedClean', 'rejectedPoisoned'] as const
type RateColumn = (typeof RATE_COLUMNS)[number]

/** Rows of the closing table: B first, then repaired net and GoodNet for each record; below them the same of the clean twin. */
export function resultRows(run: ReportedRun): ResultRow[] {
	const { twin } = run
	const names = { original: 'B', repaired: 'repaired net', guard: 'GoodNet' }
	const twinNames = { original: 'clean twin', repaired: 'repaired twin', guard: 'its GoodNet' }
	// A twin has no trigger to remove: a rating of its repair would say nothing.
	const ofTwin = twin ? rowsOf({ ...run, ...twin, isRated: false }, twinNames) : []
	return [...rowsOf(run, names), ...ofTwin]
}

interface Names {
	readonly original: string
	readonly repaired: string
	readonly guard: string
}

function rowsOf(run: ReportedRun, names: Names): ResultRow[] {
	const { before, unpruned } = run
	const set = cleanSetOf(run)
	const first: ResultRow[] = before
		? [
				{
					...{ label: '', net: names.original, isGuard: false, pruned: unpruned, rating: null },
					rates: rates(cleanCount(before, set), before.poisoned),
				},
			]
		: []
	return [...first, ...run.nets.flatMap((net) => netRows(run, net, names))]
}

function netRows(run: ReportedRun, net: ReportedNet, names: Names): ResultRow[] {
	const set = cleanSetOf(run)
	const { label, pruned, goodnet } = net
	const row = (name: string, isGuard: boolean, counts: NetCounts): ResultRow => ({
		...{ label, net: name, isGuard, pruned },
		rates: rates(cleanCount(counts, set), counts.poisoned),
		rating: run.isRated ? ratingOf(run, counts) : null,
	})
	return [row(names.repaired, false, net), row(names.guard, true, goodnet)]
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

/** The DER of a net against B; null where a count is missing, or "correct" means no more than agreement with B. */
export function ratingOf(run: ReportedRun, net: NetCounts): number | null {
	const set = cleanSetOf(run)
	const { before } = run
	if (before === null || set?.record.labels !== 'true') return null
	const [cleanBefore, cleanAfter] = [cleanCount(before, set), cleanCount(net, set)]
	const { poisoned } = before
	if (!cleanBefore?.total || !cleanAfter || !poisoned?.total || !net.poisoned) return null
	return der({ clean: cleanBefore, poisoned }, { clean: cleanAfter, poisoned: net.poisoned })
}

/** What a cell says. */
export interface Cell {
	readonly share: string
	/** In brackets; may be empty. */
	readonly interval: string
	/** The counts behind a rate; may be empty. */
	readonly counts: string
}

export interface ResultColumn {
	readonly heading: string
	cell(row: ResultRow): Cell
}

/** The columns of figures of which at least one row has a value. */
export function usedColumns(run: ReportedRun, rows: readonly ResultRow[]): ResultColumn[] {
	const headings: Record<RateColumn, string> = {
		clean: cleanSetOf(run)?.quantity ?? 'clean accuracy',
		asr: 'ASR',
		robust: 'robust accuracy',
		rejectedClean: 'rejected clean',
		rejectedPoisoned: 'rejected poisoned',
	}
	const used = RATE_COLUMNS.filter((key) => rows.some((row) => row.rates[key] !== null))
	const columns = used.map((key): ResultColumn => ({ heading: headings[key], cell: (row) => rateCell(row.rates[key]) }))
	const rated = rows.some(({ rating }) => rating !== null) ? [RATING] : []
	// Before what the GoodNets reject: the rating is of accuracy and ASR.
	const place = used.filter((key) => !key.startsWith('rejected')).length
	return columns.toSpliced(place, 0, ...rated)
}

const NOTHING: Cell = { share: '–', interval: '', counts: '' }

const RATING: ResultColumn = {
	heading: 'DER',
	cell: ({ rating }) => (rating === null ? NOTHING : { ...NOTHING, share: `${(100 * rating).toFixed(2)} %` }),
}

function rateCell(share: Share | null): Cell {
	if (share === null) return NOTHING
	return { ...formatRateParts(share.hits, share.total), counts: formatOf(share.hits, share.total) }
}
