/** A bench of defenses as a page of Markdown tables, from its cells alone. */
import type { DefenseCell } from '../contracts/defense-cell.ts'
import type { NetCounts } from '../contracts/repair-run.ts'
import {
	type BenchMethod,
	type BenchNet,
	type BenchResult,
	type BenchRun,
	type DefenseSummary,
	defenseSummary,
	derOf,
	derOfRun,
	lossOf,
	meanOf,
} from './defense-summary.ts'
import { formatPoints, formatRate } from './format.ts'

/** What stands where there is nothing to say. */
const NONE = '–'

/**
 * The tables of `cells`, in sections of the second level: methods, DER net by net, every net with all figures, and what did not apply.
 * Cells stand in the order in which nets and methods shall.
 */
export function defenseTable(cells: readonly DefenseCell[]): string {
	if (cells.length === 0) return 'No cell has been run yet.\n'
	const summary = defenseSummary(cells)
	const sections = [
		howToRead(cells),
		`## Methods\n\n${methodsTable(summary)}\n\n${bestLine(summary)}`,
		`## Net by method\n\n${matrixWords(summary)}\n\n${matrix(summary)}`,
		`## Net by net\n\n${summary.nets.map((net) => netSection(net, summary)).join('\n\n')}`,
		reasons(summary),
	]
	return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function howToRead(cells: readonly DefenseCell[]): string {
	const seeds = [...new Set(cells.map(({ identity }) => identity.seed))].sort((a, b) => a - b)
	const machines = cells.map(({ environment: { goodnet, onnxruntime, threads } }) => {
		return `goodnet ${goodnet}, ${onnxruntime}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
	})
	const oracle = cells.some(({ isOracle }) => isOracle)
		? ' *Oracle*: was told something of the trigger or its label, which a defender does not know.'
		: ''
	return `${cells.length} runs by ${[...new Set(machines)].join('; or ')}; seeds ${seeds.join(', ')}. Every choice was made on clean images only; test and triggered images were measured. \
Brackets behind a single run: 95 % interval (Wilson). Of several seeds: the mean, and in round brackets the range; runs are not pooled, since they share their images. \
ASR and robust accuracy leave out images of the target class. *Rejected*: what the GoodNet of the net and its repaired form refuses to answer.${oracle}`
}

function methodsTable({ methods, nets }: DefenseSummary): string {
	const groups = [...new Set(nets.filter((net) => net.isBackdoored).map(({ group }) => group ?? ''))]
	const byGroup = groups.length > 1 ? groups : []
	const head = [
		'method',
		'mean DER',
		...byGroup.map((group) => `mean DER, ${group || 'others'}`),
		'worst DER',
		'honest nets lose',
		'at worst',
		'not applicable',
		'failed',
		'not run',
		'seconds',
	]
	const rows = methods.map((method) => [
		nameOf(method),
		method.der ? percent(method.der.mean) : NONE,
		...byGroup.map((group) => {
			const mean = method.derByGroup.get(group)
			return mean === undefined ? NONE : percent(mean)
		}),
		method.der ? `${percent(method.der.worst)} (${method.der.worstNet})` : NONE,
		method.loss ? points(method.loss.mean) : NONE,
		method.loss ? `${points(method.loss.worst)} (${method.loss.worstNet})` : NONE,
		countOf(method, 'not-applicable', 'not-reached'),
		countOf(method, 'failed'),
		countOf(method, 'not-run'),
		method.seconds === null ? NONE : method.seconds.toFixed(0),
	])
	return `DER is the mean over backdoored nets; a net that a method does not apply to, or gives up on, stays as it was and counts with 50 %. What honest nets lose are points of \
clean accuracy, a minus is a gain. The last columns count nets, and mean seconds of a run.\n\n${table(head, rows)}`
}

function countOf({ counts }: BenchMethod, ...statuses: readonly BenchResult['status'][]): string {
	const count = statuses.reduce((sum, status) => sum + counts[status], 0)
	return count === 0 ? NONE : String(count)
}

function bestLine({ best, untried }: DefenseSummary): string {
	if (!best?.der)
		return 'Best single default by mean DER: none yet, for no method has been tried on every backdoored net.'
	const honest = best.loss
		? ` Honest nets lose ${points(best.loss.mean)} on average and ${points(best.loss.worst)} at worst (${best.loss.worstNet}).`
		: ''
	const others = untried.map(({ label }) => label).join(', ')
	const rest = others === '' ? '' : ` Not compared, since not tried on every backdoored net: ${others}.`
	return `**Best single default by mean DER: ${best.label}, ${percent(best.der.mean)}.**${honest}${rest}`
}

function matrixWords({ nets }: DefenseSummary): string {
	const honest = nets.some((net) => !net.isBackdoored)
		? ' Of honest nets: points of clean accuracy lost, a minus is a gain.'
		: ''
	return `DER of backdoored nets.${honest} ${NONE}: not applicable, or failed.`
}

function matrix({ nets, methods }: DefenseSummary): string {
	const cell = (net: BenchNet, method: BenchMethod) => {
		const result = method.results.get(net.name)!
		if (result.status === 'not-run') return ''
		if (result.status !== 'done') return NONE
		const value = net.isBackdoored ? derOf(result) : lossOf(result)
		if (value === null) return NONE
		return net.isBackdoored ? percent(value) : points(value)
	}
	return table(
		['net', ...methods.map(nameOf)],
		nets.map((net) => [
			net.isBackdoored ? net.name : `${net.name} (honest)`,
			...methods.map((method) => cell(net, method)),
		]),
	)
}

function netSection(net: BenchNet, { methods }: DefenseSummary): string {
	const about = [net.group, net.isBackdoored ? null : 'honest', net.note].filter((word) => word !== null).join('; ')
	const head = [
		'method',
		'clean accuracy',
		net.isBackdoored ? 'ASR' : 'answers the target on the twin’s triggered images',
		'robust accuracy',
		'DER',
		'clean rejected',
		'triggered rejected',
		'seconds',
	]
	const before = net.before && ['*as it came*', ...netFigures([net.before]), NONE, NONE, NONE, NONE]
	const rows = methods.flatMap((method) => {
		const result = method.results.get(net.name)!
		if (result.status === 'not-run') return []
		if (result.status !== 'done') return [[nameOf(method), wordsOf(result), ...Array<string>(6).fill(NONE)]]
		return [[nameOf(method), ...runFigures(result.runs, net)]]
	})
	const title = about === '' ? `### ${net.name}` : `### ${net.name}\n\n${about}.`
	return `${title}\n\n${table(head, before ? [before, ...rows] : rows)}`
}

function runFigures(runs: readonly BenchRun[], { isBackdoored }: BenchNet): string[] {
	const ders = isBackdoored ? runs.map(derOfRun).filter((value) => value !== null) : []
	return [
		...netFigures(runs.map(({ after }) => after)),
		ders.length === 0 ? NONE : percent(meanOf(ders)) + rangeOf(ders),
		rateOf(runs.map(({ goodnet }) => goodnet.test && { hits: goodnet.test.rejected, total: goodnet.test.total })),
		rateOf(
			runs.map(({ goodnet }) => goodnet.poisoned && { hits: goodnet.poisoned.rejected, total: goodnet.poisoned.total }),
		),
		meanOf(runs.map(({ seconds }) => seconds)).toFixed(0),
	]
}

/** Clean accuracy, ASR, robust accuracy. */
function netFigures(counts: readonly NetCounts[]): string[] {
	return [
		rateOf(counts.map(({ test }) => test && { hits: test.correct, total: test.total })),
		rateOf(counts.map(({ poisoned }) => poisoned)),
		rateOf(
			counts.map(({ poisoned }) =>
				poisoned && poisoned.recovered !== null ? { hits: poisoned.recovered, total: poisoned.total } : null,
			),
		),
	]
}

interface Hits {
	readonly hits: number
	readonly total: number
}

/** Of one run the rate with its interval, of several the mean with the range. */
function rateOf(counts: readonly (Hits | null)[]): string {
	const known = counts.filter((count) => count !== null)
	const [first] = known
	if (!first) return NONE
	if (known.length === 1) return formatRate(first.hits, first.total)
	const rates = known.map(({ hits, total }) => hits / total)
	return percent(meanOf(rates)) + rangeOf(rates)
}

function rangeOf(rates: readonly number[]): string {
	if (rates.length < 2) return ''
	const [low, high] = [Math.min(...rates), Math.max(...rates)]
	return ` (${(100 * low).toFixed(2)}–${(100 * high).toFixed(2)})`
}

function wordsOf({ status }: BenchResult): string {
	return status === 'not-applicable' || status === 'not-reached' ? 'not applicable' : 'failed'
}

/** Why cells have no figures, each reason once. */
function reasons({ nets, methods }: DefenseSummary): string {
	const lines = nets.flatMap((net) =>
		methods.flatMap((method) => {
			const result = method.results.get(net.name)!
			if (result.status === 'done' || result.status === 'not-run') return []
			return [`- ${net.name}, ${method.label}: ${wordsOf(result)}: ${result.reason.replaceAll(/\s*\n\s*/g, ' ')}`]
		}),
	)
	return lines.length === 0 ? '' : `## Not applicable, or failed\n\n${lines.join('\n')}`
}

function nameOf({ label, isOracle }: BenchMethod): string {
	return isOracle ? `${label} *(oracle)*` : label
}

function percent(share: number): string {
	return `${(100 * share).toFixed(2)} %`
}

/** Points to one hundredth; zero has no sign. */
function points(value: number): string {
	return formatPoints(Number(value.toFixed(2)) || 0)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
