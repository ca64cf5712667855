/**
 * What trigger inversion makes smaller, as a graph: cross-entropy of the triggered images plus λ times the mask's size. Several triggers are sought
 * side by side in one graph, each put onto the same few images: a large batch runs several times faster than small ones in turn.
 */
import { gradient } from '../../graph/gradient/gradient.ts'
import { Tape } from '../../graph/gradient/tape.ts'
import { elementCount, floatTensor, type Graph, type Value } from '../../graph/graph.ts'
import { imageDims } from '../../model/feed.ts'
import type { Model } from '../../model/model.ts'
import { shapesForBatch } from '../../model/shapes.ts'
import { flatLogits } from '../../train/flat-logits.ts'
import { inferenceForm } from '../../train/inference-form.ts'
import { crossEntropy } from '../../train/loss.ts'
import type { Parameter } from '../../train/parameters.ts'
import type { Problem } from '../../train/problem.ts'
import { preprocessed, withComputedInput } from './computed-input.ts'
import { imagesDims, maskDims, patternDims } from './planes.ts'

/**
 * Inputs: images as the net takes them, float32; the wanted labels `[count · batch]`, int64, a trigger's together; the λ of each
 * trigger `[count]`. */
export const IMAGES = 'invert/images'
export const TARGETS = 'invert/targets'
export const WEIGHT = 'invert/weight'
/** What is learned: mask and pattern before their tanh, in the layout of the net's input. */
export const MASK = 'invert/mask'
export const PATTERN = 'invert/pattern'

export interface InversionProblem extends Problem {
	/** Images that each trigger led to its label, `[count]`, float32. */
	readonly hits: string
	/** The masks, 0..1, one number a pixel, `[count, 1, …]`. */
	readonly mask: string
	/** The patterns, 0..255, in the order of the net's input, `[count, 1, …]`. */
	readonly pattern: string
}

/**
 * `CE(f((1 − m) · x + m · p), t) + λ · ‖m‖₁` and its gradient for mask m and pattern p (Wang et al. 2019, section IV.A, equation 3), summed over
 * `count` triggers that do not touch each other. The pattern is in raw levels: scale, mean and deviation are part of the graph.
 *
 * @param batch images of a step
 * @throws UnsupportedError as `gradient` does
 */
export async function inversionProblem(model: Model, batch: number, count = 1): Promise<InversionProblem> {
	const { input, runtime, classes } = model
	const { graph: net } = inferenceForm(model)
	const triggered = withTriggers(model, net, count)
	const tape = new Tape(triggered.graph, 'invert/loss')
	const logits = flatLogits(tape, model)
	const { loss: distance, correct } = crossEntropy(tape, logits, TARGETS, { batch, classes, smoothing: 0 })
	const answers = tape.emit('ArgMax', [logits], { axis: -1, keepdims: 0 })
	const isHit = tape.cast(tape.emit('Equal', [answers, TARGETS]), 'float32')
	const hits = tape.reduce('ReduceSum', tape.reshape(isHit, [count, -1]), [1], false)
	const sizes = tape.reduce('ReduceSum', triggered.mask, [...maskDims(input, count).keys()].slice(1), false)
	const penalty = tape.reduce('ReduceSum', tape.emit('Mul', [sizes, WEIGHT]), [0], false)
	const loss = tape.emit('Add', [distance, penalty])
	const graph = await shapesForBatch(tape.appended(), runtime, batch, (images) => ({
		[IMAGES]: { dims: imagesDims(input, images), data: new Float32Array(elementCount(imagesDims(input, images))) },
		[TARGETS]: { dims: [count * images], data: new BigInt64Array(count * images) },
		[WEIGHT]: { dims: [count], data: new Float32Array(count) },
	}))
	const parameters = [MASK, PATTERN].map((name): Parameter => {
		return { name, tensor: graph.initializers.get(name)!, isKernel: false }
	})
	const { graph: whole, of } = gradient(graph, loss, [MASK, PATTERN])
	const { mask, pattern } = triggered
	return { ...{ graph: whole, gradientOf: of, parameters, loss, correct, hits, mask, pattern }, statistics: new Map() }
}

/** `net` behind the images with the triggers on them, `[count · batch, …]`. */
function withTriggers(model: Model, net: Graph, count: number) {
	const { input } = model
	const zeros = (dims: readonly number[]) => floatTensor(dims, new Float32Array(elementCount(dims)))
	const inputs: Value[] = [
		{ name: IMAGES, dtype: 'float32', shape: ['N', ...imageDims(input)] },
		{ name: TARGETS, dtype: 'int64', shape: ['M'] },
		{ name: WEIGHT, dtype: 'float32', shape: [count] },
	]
	const learned = new Map([
		[MASK, zeros(maskDims(input, count))],
		[PATTERN, zeros(patternDims(input, count))],
	])
	const tape = new Tape(net, 'invert')
	const share = (name: string) => {
		return tape.emit('Mul', [tape.emit('Add', [tape.emit('Tanh', [name]), tape.scalar(1)]), tape.scalar(0.5)])
	}
	const mask = share(MASK)
	const pattern = tape.emit('Mul', [share(PATTERN), tape.scalar(255)])
	const shown = preprocessed(tape, pattern, model)
	// `[count, 1, …]` and `[batch, …]` make `[count, batch, …]`.
	const mixed = tape.emit('Add', [IMAGES, tape.emit('Mul', [mask, tape.emit('Sub', [shown, IMAGES])])])
	const joined = tape.reshape(mixed, [-1, ...imageDims(input)])
	return { graph: withComputedInput(net, tape, joined, model, { inputs, learned }), mask, pattern }
}
