/**
 * Answers of a dense head, kept up to date by subtraction: where the logits are a weighted sum, pruning a channel takes its summands away,
 * and no row has to be run. Sums are in float64; an answer counts only where it leads by more than float32 could have lost in any order
 * of summation, so that the head itself, run in float32, must say the same. Where it does not, the head is asked.
 */
import type { DenseHead } from '../../graph/dense-head.ts'

/** Products an image at the start of a batch: more of them, and running rows is faster. */
const MAX_WEIGHTS = 2 ** 16
/** Half of float32's spacing at 1: what one rounding loses at most, relatively. */
const UNIT_ROUNDOFF = 2 ** -24

/** Is subtraction faster than running rows? */
export function isWorthSubtracting({ weights }: DenseHead): boolean {
	return weights.length <= MAX_WEIGHTS
}

export class DenseAnswers {
	private readonly head: DenseHead
	/** `[count, classes]` */
	private readonly logits: Float64Array
	/** By image: the most that float32 may be wrong in a logit, at any step. */
	private readonly slack: Float64Array

	/** @param values `[count, size]`, what the head reads of each image before anything is pruned */
	constructor(head: DenseHead, values: Float32Array, count: number, silenced: Float32Array) {
		const { classes, bias } = head
		this.head = head
		this.logits = new Float64Array(count * classes)
		this.slack = new Float64Array(count)
		const size = silenced.length
		const largest = largestWeights(head)
		const base = bias.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
		for (let image = 0; image < count; image++) {
			this.logits.set(bias, image * classes)
			let magnitude = base
			for (let i = 0; i < size; i++) {
				const value = values[image * size + i]!
				this.add(image, i, value)
				magnitude += Math.max(Math.abs(value), Math.abs(silenced[i]!)) * largest[i]!
			}
			// The bound of a sum of n products: n roundings of the sum of magnitudes (Higham 2002, section 3.1).
			this.slack[image] = (size + 1) * UNIT_ROUNDOFF * magnitude
		}
	}

	/** Number `entry` of what the head reads of an image has grown by `by`. */
	add(image: number, entry: number, by: number): void {
		const { logits } = this
		const { classes, weights } = this.head
		const to = image * classes
		const from = entry * classes
		for (let c = 0; c < classes; c++) logits[to + c]! += by * weights[from + c]!
	}

	/** The label of an image as it is now; null where two classes are so close that only the head can tell. */
	label(image: number): number | null {
		const { classes } = this.head
		const begin = image * classes
		let best = 0
		let next = Number.NEGATIVE_INFINITY
		for (let c = 1; c < classes; c++) {
			const logit = this.logits[begin + c]!
			if (logit > this.logits[begin + best]!) {
				next = this.logits[begin + best]!
				best = c
			} else if (logit > next) next = logit
		}
		return this.logits[begin + best]! - next > 2 * this.slack[image]! ? best : null
	}
}

/** The largest absolute weight of each number that the head reads. */
function largestWeights({ weights, classes }: DenseHead): Float64Array {
	const largest = new Float64Array(weights.length / classes)
	for (const [i, weight] of weights.entries()) {
		const entry = Math.floor(i / classes)
		largest[entry] = Math.max(largest[entry]!, Math.abs(weight))
	}
	return largest
}
