/**
 * Normal numbers cut off at two standard deviations: what Keras draws initial weights from. By rejection and with additions,
 * multiplications and divisions alone, since `Math.log` and `Math.cos` differ between JavaScript engines in the last bit and the same seed
 * must give the same weights on every machine.
 */
import type { Random } from './random.ts'

/** Where the distribution is cut off, in standard deviations of the whole normal. */
const LIMIT = 2

/** The standard deviation that is left after the cut: `√(1 − 4 φ(2) / (2 Φ(2) − 1))`. */
export const TRUNCATED_DEVIATION = 0.879_625_661_034_239_78

/** One number of the standard normal distribution cut off at ±2: mean 0, standard deviation `TRUNCATED_DEVIATION`. */
export function truncatedNormal(random: Random): number {
	while (true) {
		const value = random.between(-LIMIT, LIMIT)
		if (random.unit() < expOfNegative((value * value) / 2)) return value
	}
}

/** `e^−x` for x in 0..2, to 1e-12: the Taylor series of `e^−(x/8)`, whose terms fall fast, to the eighth power. */
function expOfNegative(x: number): number {
	const small = -x / 8
	let sum = 1
	for (let term = TERMS; term > 0; term--) sum = 1 + (sum * small) / term
	const square = sum * sum
	const fourth = square * square
	return fourth * fourth
}

/** `0.25^10 / 10!` is 3e-13. */
const TERMS = 9
