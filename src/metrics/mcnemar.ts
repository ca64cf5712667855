/** Do two classifiers differ on the same images? */

/**
 * The two-sided p-value of McNemar's exact test (McNemar, Psychometrika 12, 1947), in 0..1.
 *
 * `onlyFirst` images are right for the first classifier alone, `onlySecond` for the second alone; images on which both are right or
 * both wrong tell nothing. Were the classifiers equally good, each of the `n = onlyFirst + onlySecond` would fall either way like a
 * fair coin: `p = min(1, 2 · P(X ≤ min(onlyFirst, onlySecond)))` with `X ~ Binomial(n, ½)`. Safe for large counts: sums run on
 * shares of the largest term and logarithms. A p-value too small for a float64 is 0.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
	const n = onlyFirst + onlySecond
	const least = Math.min(onlyFirst, onlySecond)
	const logTail = logChoose(n, least) + Math.log(tailOverLast(n, least)) - n * Math.LN2
	return Math.min(1, 2 * Math.exp(logTail))
}

/** `log C(n, k)`. */
function logChoose(n: number, k: number): number {
	let sum = 0
	for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i)
	return sum
}

/** `(C(n, 0) + … + C(n, k)) / C(n, k)`, from the largest term down until terms no longer count. */
function tailOverLast(n: number, k: number): number {
	let sum = 1
	let term = 1
	for (let i = k; i > 0 && term > sum * Number.EPSILON; i--) {
		term *= i / (n - i + 1)
		sum += term
	}
	return sum
}
