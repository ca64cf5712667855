/** The comparison of guards that `goodnet guard` prints. */
import type { AurocRecord, GuardResult, GuardRun } from '../contracts/guard-run.ts'
import { alignColumns, belowRates, besideRates, type RateLayout } from './columns.ts'
import { formatCount, formatOf, formatRate, formatRateParts, formatUpperBound } from './format.ts'
import { wrapWords } from './wrap.ts'

const DEFAULT_WIDTH = 120

/** A cell of a rate: the figure and its interval. */
interface Cell {
	readonly share: string
	readonly interval: string
}

const NOTHING: Cell = { share: '–', interval: '' }

/**
 * The guards as an aligned table, the net without a guard first, every rate with its 95 % interval; below it what was measured on what,
 * and whatever a reader must know to believe the figures. Lines end with a newline.
 *
 * @param width columns of the terminal; where it is too narrow, intervals stand below their rates
 */
export function guardTable(run: GuardRun, width = DEFAULT_WIDTH): string {
	const wide = tableLines(run, besideRates)
	const table = wide.every((line) => line.length <= width) ? wide : tableLines(run, belowRates)
	const captions = [...setLines(run), ...thresholdLines(run), ...notMadeLines(run)].map((line) =>
		wrapWords(line, width),
	)
	return [...table, '', ...captions].map((line) => `${line}\n`).join('')
}

function tableLines(run: GuardRun, { linesPerRow, cells }: RateLayout): string[] {
	const { guards, badnet } = run
	const words = (texts: string[]) => texts.flatMap((text) => (linesPerRow === 1 ? [text] : [text, '']))
	const column = (heading: string, first: Cell, of: (guard: GuardResult) => Cell) => {
		const body = [first, ...guards.map(of)]
		return body.every((cell) => cell === NOTHING) ? [] : [[heading, ...cells(body)]]
	}
	return alignColumns([
		['guard', ...words(['none (B)', ...guards.map(({ kind }) => kind)])],
		['threshold', ...words(['', ...guards.map(({ threshold }) => formatScore(threshold.value))])],
		...column(
			run.data.test?.labels === 'true' ? 'clean accuracy' : 'clean answered',
			rate(badnet.test, 'correct'),
			(guard) => rate(guard.test, 'correct'),
		),
		...column('false rejections', NOTHING, ({ test }) => rate(test, 'rejected')),
		...column('ASR', rate(badnet.poisoned, 'hits'), ({ poisoned }) => rate(poisoned, 'hits')),
		...column('true rejections', NOTHING, ({ poisoned }) => rate(poisoned, 'rejected')),
		...column('AUROC', NOTHING, ({ auroc }) => areaCell(auroc)),
	])
}

function rate<Key extends string>(count: ({ total: number } & Record<Key, number>) | null, key: Key): Cell {
	return count ? formatRateParts(count[key], count.total) : NOTHING
}

function areaCell(auroc: AurocRecord | null): Cell {
	if (!auroc) return NOTHING
	const { value, low, high } = auroc
	return { share: value.toFixed(3), interval: `[${low.toFixed(3)}–${high.toFixed(3)}]` }
}

/** A threshold to four digits: scores have no unit. */
function formatScore(value: number): string {
	return String(Number(value.toPrecision(4)))
}

function setLines({ data, falseRejectionRate, guards }: GuardRun): string[] {
	const { valid, test, poisoned } = data
	const areas = guards.some(({ auroc }) => auroc)
	const clean = test ? 'test' : 'validation'
	return [
		`thresholds: chosen on ${formatCount(valid.images)} clean validation images, ${valid.path}, of which at most ${falseRejectionRate} % may be rejected`,
		test
			? `false rejections: ${formatCount(test.images)} clean test images, ${test.path}`
			: 'false rejections were not measured: no --test set',
		poisoned
			? `ASR, true rejections: ${formatCount(poisoned.counted)} poisoned images, ${poisoned.path}, target label ${poisoned.target}`
			: 'ASR and true rejections were not measured: no --poisoned set',
		...(areas
			? [`AUROC: poisoned images against clean ${clean} images, over all thresholds; 1 separates them, 0.5 is chance`]
			: []),
		'brackets: 95 % intervals',
	]
}

/** What each threshold cost where it was chosen, and what so many images cannot promise. */
function thresholdLines({ guards, data, falseRejectionRate }: GuardRun): string[] {
	const total = data.valid.images
	const [first] = guards
	const isTooFew = first && first.threshold.leastProvable * 100 > falseRejectionRate
	const tooFew = isTooFew
		? [
				`${formatCount(total)} validation images cannot promise ${falseRejectionRate} %: with none of them rejected, the rate may still be up to ${formatUpperBound(first.threshold.leastProvable)}`,
			]
		: []
	return [...tooFew, ...guards.map((guard) => `${guard.kind}: ${validPhrase(guard)}${remark(guard)}`)]
}

function validPhrase({ threshold: { valid } }: GuardResult): string {
	return `rejects ${formatOf(valid.rejected, valid.total)} validation images, ${formatRate(valid.rejected, valid.total)}`
}

function remark({ threshold: { rejectsNothing, chosenBy, valid, asked } }: GuardResult): string {
	if (rejectsNothing) {
		return `; it rejects nothing at all, since more than ${asked} % of the clean images have the highest score that there is`
	}
	const isMore = valid.rejected * 100 > asked * valid.total
	return chosenBy === 'fixed' && isMore ? '; its threshold is its own, and that is more than was asked for' : ''
}

function notMadeLines({ notMade }: GuardRun): string[] {
	return notMade.map(({ kind, reason }) => `${kind} was not made: ${reason}`)
}
