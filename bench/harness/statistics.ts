/** Medians and their spread: on a shared machine means follow the neighbours. */

/** Middle value, and the quarter points beside it. */
export interface Spread {
	readonly median: number
	/** First and third quartile. */
	readonly quartiles: readonly [number, number]
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
	return { median: quantile(values, 0.5), quartiles: [quantile(values, 0.25), quantile(values, 0.75)] }
}

/** Linear interpolation between neighbours, numpy's default. */
function quantile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b)
	const at = share * (sorted.length - 1)
	const below = sorted[Math.floor(at)]!
	return below + (at % 1) * (sorted[Math.ceil(at)]! - below)
}
