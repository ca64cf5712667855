/** A row of the table: what was measured, what it must be, what is aimed at. */
import type { Spread } from './harness/statistics.ts'

/** Bounds of a figure, both inclusive; one of them may be missing. */
export interface Limit {
	readonly atLeast?: number
	readonly atMost?: number
}

export interface Row {
	readonly what: string
	/** Null where this machine cannot measure it; `note` says why. */
	readonly figure: Spread | null
	readonly unit: '×' | 'MB'
	readonly must: Limit
	/** Null where the issue names none. */
	readonly aim: Limit | null
	/** On what: images, versions, choices. */
	readonly note: string
	/** What the figure comes from, as measured, by name. */
	readonly raw: Readonly<Record<string, readonly number[]>>
}

/** Some rows that are measured together. */
export interface Bench {
	/** What `--only` takes. */
	readonly name: string
	run(settings: Settings): Promise<Row[]>
}

export interface Settings {
	readonly rounds: number
	/** A folder for large files, gone afterwards. */
	readonly folder: string
}

export function meets({ median }: Spread, { atLeast = -Infinity, atMost = Infinity }: Limit): boolean {
	return median >= atLeast && median <= atMost
}
