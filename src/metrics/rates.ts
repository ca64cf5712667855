/** Rates and differences of rates, from counts. */
import type { CleanCount, PoisonedCount } from '../contracts/prune-run.ts'
import { UsageError } from '../errors.ts'

/** What a net does on a clean and on a poisoned set. */
export interface NetCounts {
	readonly clean: CleanCount
	readonly poisoned: Pick<PoisonedCount, 'hits' | 'total'>
}

/** Percent points of accuracy lost between two counts: `100 · (baseline − accuracy)`; negative where accuracy rose. */
export function pointsLost(baseline: CleanCount, count: CleanCount): number {
	if (baseline.total === count.total) return (100 * (baseline.correct - count.correct)) / count.total
	return 100 * (baseline.correct / baseline.total - count.correct / count.total)
}

/**
 * The defense effectiveness rating, in 0..1: `((max(0, ASR drop) − max(0, ACC drop)) + 1) / 2`. 1 is a trigger removed for nothing,
 * ½ is nothing won (proposed with FT-SAM, Zhu et al., arXiv:2304.11823).
 */
export function der(before: NetCounts, after: NetCounts): number {
	const asrDrop = before.poisoned.hits / before.poisoned.total - after.poisoned.hits / after.poisoned.total
	const accuracyDrop = pointsLost(before.clean, after.clean) / 100
	return (Math.max(0, asrDrop) - Math.max(0, accuracyDrop) + 1) / 2
}

/**
 * Whether a net with `correct` of `total` images lies at least `dropPoints` percent points below one with `baselineCorrect` of the
 * same images. Exact: the decimal digits of `dropPoints` as written are compared as integers, so neither 2.0 nor 0.1 points are lost
 * to rounding. False on an empty set.
 * @throws UsageError where `dropPoints` is not a finite number
 */
export function dropReached(baselineCorrect: number, correct: number, total: number, dropPoints: number): boolean {
	const { digits, scale } = toDecimal(dropPoints)
	const lost = BigInt(baselineCorrect - correct) * 100n * 10n ** BigInt(scale)
	return total > 0 && lost >= digits * BigInt(total)
}

/**
 * The greatest count that is at most `points` percent points of `total`: 25 of 2,534 for 1 point, none of 52. Exact, as `dropReached`.
 * @throws UsageError where `points` is not a finite number
 */
export function countWithin(points: number, total: number): number {
	const { digits, scale } = toDecimal(points)
	return Number((digits * BigInt(total)) / (100n * 10n ** BigInt(scale)))
}

/** `value = digits / 10^scale`, from the shortest decimal that names the number: what the user typed. */
function toDecimal(value: number): { digits: bigint; scale: number } {
	if (!Number.isFinite(value)) throw new UsageError('drop-not-finite', `a drop must be a finite number, found ${value}`)
	const [mantissa = '', exponent = '0'] = String(value).split('e')
	const [whole = '', fraction = ''] = mantissa.split('.')
	const scale = fraction.length - Number(exponent)
	const digits = BigInt(whole + fraction)
	return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}
