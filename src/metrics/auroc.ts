/** How well a score tells two groups apart, whatever the threshold: the area under the receiver operating characteristic. */
import { InputError } from '../errors.ts'

/** An area with its 95 % interval, all in 0..1. */
export interface Auroc {
	readonly value: number
	readonly low: number
	readonly high: number
}

/** The 0.975 quantile of the standard normal distribution. */
const Z = 1.959963984540054

/** Halvings until an interval's end is known to the last bit of a float64 in 0..1. */
const HALVINGS = 60

/**
 * The area under the ROC curve: the chance that a positive scores higher than a negative, ties counted half. Computed by ranks as
 * Mann and Whitney's statistic, `(Σ ranks of positives − n₊(n₊+1)/2) / (n₊ n₋)`, where equals share their mean rank.
 *
 * The interval holds every area A for which the observed one is no further away than `z · SE(A)`, with the standard error of Hanley
 * and McNeil (Radiology 143, 1982): `SE² = (A(1−A) + (n₊−1)(Q₁−A²) + (n₋−1)(Q₂−A²)) / (n₊ n₋)`, `Q₁ = A/(2−A)`, `Q₂ = 2A²/(1+A)`. The
 * error is taken at A and not at the observed area, as in Wilson's interval of a rate, so that a perfect separation of few images
 * does not come out as certain; DeLong's variance is 0 there.
 *
 * @param positives scores of the images that should score high, without order
 * @param negatives scores of the others
 * @returns null where either group is empty
 * @throws InputError `not-finite` for a NaN, which has no rank
 */
export function auroc(positives: ArrayLike<number>, negatives: ArrayLike<number>): Auroc | null {
	const [n, m] = [positives.length, negatives.length]
	if (n === 0 || m === 0) return null
	const value = (rankSum(positives, negatives) - (n * (n + 1)) / 2) / (n * m)
	const isWithin = (area: number) => (value - area) ** 2 <= Z ** 2 * variance(area, n, m)
	return { value, low: lastWithin(value, 0, isWithin), high: lastWithin(value, 1, isWithin) }
}

/** The sum of the positives' ranks among all scores, counted from one. */
function rankSum(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
	const all = [
		...Array.from(positives, (score) => ({ score, isPositive: true })),
		...Array.from(negatives, (score) => ({ score, isPositive: false })),
	]
	if (all.some(({ score }) => Number.isNaN(score))) {
		throw new InputError('not-finite', 'a score is NaN and has no rank; the net that gave it answers NaN')
	}
	// Not by difference: it is NaN for two infinities of one sign.
	all.sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : 0))
	let sum = 0
	for (let from = 0; from < all.length; ) {
		let to = from
		let count = 0
		for (; to < all.length && all[to]!.score === all[from]!.score; to++) if (all[to]!.isPositive) count++
		sum += (count * (from + 1 + to)) / 2
		from = to
	}
	return sum
}

function variance(area: number, n: number, m: number): number {
	const square = area ** 2
	const q1 = area / (2 - area)
	const q2 = (2 * square) / (1 + area)
	return (area * (1 - area) + (n - 1) * (q1 - square) + (m - 1) * (q2 - square)) / (n * m)
}

/** The last area on the way from `value` to `end` that is within; at `end` itself there is no error, so only the observed one is. */
function lastWithin(value: number, end: number, isWithin: (area: number) => boolean): number {
	let inside = value
	let outside = end
	for (let i = 0; i < HALVINGS && inside !== outside; i++) {
		const middle = (inside + outside) / 2
		if (isWithin(middle)) inside = middle
		else outside = middle
	}
	return inside
}
