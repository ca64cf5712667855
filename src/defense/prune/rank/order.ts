/** From scores to an order of pruning. */

/** Which end of the scores is pruned first. */
export type FirstPruned = 'lowest' | 'highest'

/** Channels in pruning order, ties by channel number. */
export function orderChannels(scores: readonly number[], first: FirstPruned = 'lowest'): number[] {
	const sign = first === 'lowest' ? 1 : -1
	return [...scores.keys()].sort((a, b) => sign * (scores[a]! - scores[b]!) || a - b)
}

/**
 * How many standard deviations each score lies above the mean of its layer: the largest `u` at which `score > mean + u · std` still
 * holds is just below it. The deviation is the unbiased one, as in the authors' code of CLP and BNP; where all scores are equal, or
 * there is one alone, none stands out and all are 0.
 */
export function standardScores(scores: readonly number[]): number[] {
	const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
	const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0)
	const deviation = Math.sqrt(squares / Math.max(1, scores.length - 1))
	return scores.map((score) => (deviation > 0 ? (score - mean) / deviation : 0))
}
