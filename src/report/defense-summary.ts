/** What a bench of defenses found, gathered from its cells: by method over nets, by net over methods. Numbers only; `defense-table.ts` words them. */
import type { DefenseCell } from '../contracts/defense-cell.ts'
import type { NetCounts } from '../contracts/repair-run.ts'
import { der, pointsLost } from '../metrics/rates.ts'

type Done = Extract<DefenseCell['outcome'], { status: 'done' }>

/** One run: what a repaired net answers. */
export interface BenchRun {
	readonly before: NetCounts
	readonly after: NetCounts
	readonly goodnet: Done['repaired'][number]['goodnet']
	readonly seconds: number
}

/** What a method did to a net, over the seeds that were run. */
export type BenchResult =
	| { readonly status: 'done'; readonly runs: readonly BenchRun[] }
	/** `not-reached`: the method hands out several nets, and here not this one. */
	| { readonly status: 'not-applicable' | 'failed' | 'not-reached'; readonly reason: string }
	| { readonly status: 'not-run' }

/** A net of the bench. */
export interface BenchNet extends Readonly<DefenseCell['subject']> {
	/** The net as it came, from whichever cell tells it; null where no cell is done. */
	readonly before: NetCounts | null
}

/** A method, or of a method that hands out several nets one of them. */
export interface BenchMethod {
	/** `prune (2)`. */
	readonly label: string
	readonly isOracle: boolean
	/** By name of the net. */
	readonly results: ReadonlyMap<string, BenchResult>
	/** Over backdoored nets, 0..1 each; null where there is none to tell. */
	readonly der: Spread | null
	/** Means of `der` by group of nets. */
	readonly derByGroup: ReadonlyMap<string, number>
	/** Points of clean accuracy lost by honest nets; null where there is none. */
	readonly loss: Spread | null
	/** Mean over all runs. */
	readonly seconds: number | null
	/** Nets by how it ended with them. */
	readonly counts: Readonly<Record<BenchResult['status'], number>>
}

/** A mean over nets, and the net that is worst. */
export interface Spread {
	readonly mean: number
	readonly worst: number
	/** Name of the net. */
	readonly worstNet: string
}

export interface DefenseSummary {
	/** Backdoored nets first, groups together, in the order of cells. */
	readonly nets: readonly BenchNet[]
	readonly methods: readonly BenchMethod[]
	/** The method with the greatest mean DER among those that were told nothing of triggers and tried on every backdoored net. */
	readonly best: BenchMethod | null
	/** The methods that `best` was not compared with: not tried on every backdoored net, and no oracles. */
	readonly untried: readonly BenchMethod[]
}

/** DER where nothing was won or lost: what a method that does not apply or gives up does to a net. */
export const NOTHING_WON = 0.5

/** Gathers `cells`. Of several runs with different seeds every figure is the mean. */
export function defenseSummary(cells: readonly DefenseCell[]): DefenseSummary {
	const nets = netsOf(cells)
	const methods = [...new Set(cells.map(({ method }) => method))].flatMap((name) => {
		const own = cells.filter(({ method }) => method === name)
		return pointsOf(own).map((point) => benchMethod(name, point, own, nets))
	})
	const isTriedEverywhere = (method: BenchMethod) => nets.every((net) => !net.isBackdoored || isTried(method, net))
	const open = methods.filter(({ isOracle }) => !isOracle)
	const candidates = open.filter((method) => method.der && isTriedEverywhere(method))
	const best = candidates.sort((a, b) => b.der!.mean - a.der!.mean)[0] ?? null
	return { nets, methods, best, untried: open.filter((method) => !isTriedEverywhere(method)) }
}

function netsOf(cells: readonly DefenseCell[]): BenchNet[] {
	const nets = new Map<string, BenchNet>()
	for (const { subject, outcome } of cells) {
		const known = nets.get(subject.name)
		if (known?.before) continue
		nets.set(subject.name, { ...subject, before: outcome.status === 'done' ? outcome.before : null })
	}
	const groups = [...new Set([...nets.values()].map(({ group }) => group))]
	return [true, false].flatMap((isBackdoored) =>
		groups.flatMap((group) =>
			[...nets.values()].filter((net) => net.isBackdoored === isBackdoored && net.group === group),
		),
	)
}

/** Names of the nets that a method hands out, in the order of their first appearance; one without a name where nothing is known. */
function pointsOf(cells: readonly DefenseCell[]): string[] {
	const names = cells.flatMap(({ outcome }) =>
		outcome.status === 'done' ? outcome.repaired.map(({ name }) => name) : [],
	)
	return names.length > 0 ? [...new Set(names)] : ['']
}

function benchMethod(
	name: string,
	point: string,
	cells: readonly DefenseCell[],
	nets: readonly BenchNet[],
): BenchMethod {
	const results = new Map(
		nets.map(
			(net) =>
				[
					net.name,
					resultOf(
						cells.filter(({ subject }) => subject.name === net.name),
						point,
					),
				] as const,
		),
	)
	const ders = nets
		.filter(({ isBackdoored }) => isBackdoored)
		.flatMap((net) => {
			const value = derOf(results.get(net.name)!)
			return value === null ? [] : [{ net, value }]
		})
	const losses = nets
		.filter(({ isBackdoored }) => !isBackdoored)
		.flatMap((net) => {
			const value = lossOf(results.get(net.name)!)
			return value === null ? [] : [{ net, value }]
		})
	const groups = new Set(ders.map(({ net }) => net.group ?? ''))
	const seconds = [...results.values()].flatMap((result) => runsOf(result).map((run) => run.seconds))
	return {
		label: point === '' ? name : `${name} (${point})`,
		isOracle: cells.some(({ isOracle }) => isOracle),
		results,
		der: spreadOf(ders, (a, b) => a < b),
		derByGroup: new Map(
			[...groups].map((group) => [
				group,
				meanOf(ders.filter(({ net }) => (net.group ?? '') === group).map(({ value }) => value)),
			]),
		),
		loss: spreadOf(losses, (a, b) => a > b),
		seconds: seconds.length > 0 ? meanOf(seconds) : null,
		counts: countsOf([...results.values()]),
	}
}

function resultOf(cells: readonly DefenseCell[], point: string): BenchResult {
	const runs = cells.flatMap(({ outcome, seconds }) => {
		const found = outcome.status === 'done' ? outcome.repaired.find(({ name }) => name === point) : undefined
		return found && outcome.status === 'done' ? [{ ...found, before: outcome.before, seconds }] : []
	})
	if (runs.length > 0) return { status: 'done', runs }
	const [outcome] = cells.map((cell) => cell.outcome)
	if (!outcome) return { status: 'not-run' }
	if (outcome.status === 'done') return { status: 'not-reached', reason: `it has no net ${point} here` }
	return { status: outcome.status, reason: outcome.reason }
}

function countsOf(results: readonly BenchResult[]): BenchMethod['counts'] {
	const count = (status: BenchResult['status']) => results.filter((result) => result.status === status).length
	return {
		done: count('done'),
		'not-applicable': count('not-applicable'),
		failed: count('failed'),
		'not-reached': count('not-reached'),
		'not-run': count('not-run'),
	}
}

function isTried({ results }: BenchMethod, net: BenchNet): boolean {
	return results.get(net.name)!.status !== 'not-run'
}

/** The runs behind a result. */
function runsOf(result: BenchResult): readonly BenchRun[] {
	return result.status === 'done' ? result.runs : []
}

/** DER of a backdoored net, in 0..1: `NOTHING_WON` where the net stays as it was; null where it was not run or cannot be told. */
export function derOf(result: BenchResult): number | null {
	if (result.status === 'not-run') return null
	if (result.status !== 'done') return NOTHING_WON
	const values = result.runs.flatMap((run) => derOfRun(run) ?? [])
	return values.length > 0 ? meanOf(values) : null
}

/** DER of one run; null without test or poisoned images. */
export function derOfRun({ before, after }: Pick<BenchRun, 'before' | 'after'>): number | null {
	if (!before.test || !before.poisoned || !after.test || !after.poisoned) return null
	return der({ clean: before.test, poisoned: before.poisoned }, { clean: after.test, poisoned: after.poisoned })
}

/** Points of clean accuracy lost; null where the net was not repaired. */
export function lossOf(result: BenchResult): number | null {
	const values = runsOf(result).flatMap(({ before, after }) =>
		before.test && after.test ? [pointsLost(before.test, after.test)] : [],
	)
	return values.length > 0 ? meanOf(values) : null
}

function spreadOf(
	values: readonly { readonly net: BenchNet; readonly value: number }[],
	isWorse: (a: number, b: number) => boolean,
): Spread | null {
	const [first, ...rest] = values
	if (!first) return null
	const worst = rest.reduce((found, each) => (isWorse(each.value, found.value) ? each : found), first)
	return { mean: meanOf(values.map(({ value }) => value)), worst: worst.value, worstNet: worst.net.name }
}

/** @param values at least one */
export function meanOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length
}
