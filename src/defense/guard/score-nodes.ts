/** The few things that scores are made of, as nodes that work in every opset from 7 on. */
import type { Tape } from '../../graph/gradient/tape.ts'
import { intTensor } from '../../graph/graph.ts'

/** Far below every logit, and still a float32: what is moved by it is never the largest. */
const FAR = 1e30

/** Logits `[N, C]` of any float type as float32. */
export function asFloat(tape: Tape, logits: string): string {
	return tape.cast(logits, 'float32')
}

/** Float32 `[N, C]`: 1 at each image's label, 0 elsewhere. `OneHot` came with opset 9, `GatherElements` with 11. */
export function oneHot(tape: Tape, label: string, classes: number): string {
	const numbers = tape.constant(intTensor([...Array(classes).keys()]))
	return tape.cast(tape.emit('Equal', [tape.reshape(label, [-1, 1]), numbers]), 'float32')
}

/** The largest of each row of `[N, C]`, `[N]`. */
export function largest(tape: Tape, values: string): string {
	return tape.reduce('ReduceMax', values, [1], false)
}

/** The value at each image's label, `[N]`. */
export function valueAt(tape: Tape, values: string, hot: string): string {
	// Not a sum of products: it would make NaN of a class that a net rules out with minus infinity.
	const isOther = tape.emit('Sub', [tape.scalar(1), hot])
	return largest(tape, tape.emit('Sub', [values, tape.emit('Mul', [isOther, tape.scalar(FAR)])]))
}

/** The largest value beside the one at each image's label, `[N]`. */
export function largestOther(tape: Tape, values: string, hot: string): string {
	return largest(tape, tape.emit('Sub', [values, tape.emit('Mul', [hot, tape.scalar(FAR)])]))
}

/** Does each net in `others` give an image the label that B gives? Float32 `[N]` each, 1 or 0. */
export function agreements(tape: Tape, label: string, others: readonly string[]): string[] {
	return others.map((other) => tape.cast(tape.emit('Equal', [label, other]), 'float32'))
}

/** The sum of some values of one shape; there must be one at least. */
export function sumOf(tape: Tape, values: readonly string[]): string {
	return values.reduce((sum, value) => tape.emit('Add', [sum, value]))
}
