/** Confidence intervals of a share "hits of total", at the 95 % level. */
import { InputError } from '../errors.ts'

/** A 95 % interval of a rate, both ends in 0..1. `sides` tells whether it bounds the rate from both sides or from one. */
export interface Interval {
	readonly low: number
	readonly high: number
	readonly sides: 'both' | 'upper' | 'lower'
}

/** The 0.975 quantile of the standard normal distribution. */
const Z = 1.959963984540054

/** What a one-sided bound leaves outside. */
const ALPHA = 0.05

/**
 * The 95 % interval of the rate `hits / total`; null where `total` is 0.
 *
 * Between the ends it is Wilson's score interval (Wilson, JASA 22, 1927; recommended by Brown, Cai and DasGupta, Statistical
 * Science 16, 2001): `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`. At the ends a two-sided interval would waste half of its
 * error on a side that cannot be, so 0 of n has the exact one-sided (Clopper–Pearson) upper bound `1 − 0.05^(1/n)`, and n of n the
 * lower bound `0.05^(1/n)`.
 * @throws InputError unless `hits` and `total` are whole numbers and 0 ≤ hits ≤ total
 */
export function wilson(hits: number, total: number): Interval | null {
	checkCount(hits, total)
	if (total === 0) return null
	if (hits === 0) return { low: 0, high: -Math.expm1(Math.log(ALPHA) / total), sides: 'upper' }
	if (hits === total) return { low: Math.exp(Math.log(ALPHA) / total), high: 1, sides: 'lower' }

	const rate = hits / total
	const z2 = Z ** 2 / total
	const centre = rate + z2 / 2
	const reach = Math.sqrt(z2 * (rate * (1 - rate) + z2 / 4))
	return { low: (centre - reach) / (1 + z2), high: (centre + reach) / (1 + z2), sides: 'both' }
}

function checkCount(hits: number, total: number): void {
	if (Number.isSafeInteger(hits) && Number.isSafeInteger(total) && hits >= 0 && hits <= total) return
	throw new InputError(
		'count-out-of-range',
		`a count must be whole numbers with 0 ≤ hits ≤ total, found ${hits} of ${total}; check the run it came from`,
	)
}
