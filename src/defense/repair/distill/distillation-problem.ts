/**
 * What distillation against a backdoor makes smaller, as a graph: a student answers as its teacher, the net as it came, does, and on pictures that
 * carry a trigger it does not answer with the trigger's label. Teacher and student run side by side; the teacher's weights are constants.
 */
import { putBeside } from '../../../graph/beside.ts'
import { Tape } from '../../../graph/gradient/tape.ts'
import { floatTensor, type Value } from '../../../graph/graph.ts'
import { blankFeed, imageDims } from '../../../model/feed.ts'
import type { Model } from '../../../model/model.ts'
import { shapesForBatch } from '../../../model/shapes.ts'
import { flatLogits } from '../../../train/flat-logits.ts'
import { inferenceForm } from '../../../train/inference-form.ts'
import { differentiate, LABELS, learnableOf, type Problem } from '../../../train/problem.ts'

/** The input with what the teacher sees: the pictures without triggers, `[batch, …]`. The student sees the model's own input. */
export const CLEAN = 'distill/clean'

/** Weight of each logit of a triggered picture but the label's: a trigger may hide what the picture shows, so little is asked. */
const OTHERS = 0.05
/** Weight of the label's logit, as a share of the number of classes: next to many others it would not count. */
const OWN = 0.15

/**
 * Mean square of the differences of logits (Hinton et al. 2015, arXiv:1503.02531, section 2.1: the limit of a high temperature). Of a picture with a
 * trigger the label's logit counts most, and only where it is above what the teacher gives without the trigger: to ask for the whole answer below a
 * large trigger costs more accuracy than it removes of the backdoor (docs/decisions/024).
 *
 * Beside pictures it takes `LABELS` `[batch]`: the label of the trigger, or the number of classes for a picture without one. `correct` counts
 * pictures that are still answered with their trigger's label.
 *
 * @throws UnsupportedError as `gradient` does; InputError `nothing-to-train`
 */
export async function distillationProblem(model: Model, batch: number): Promise<Problem> {
	const { input, runtime, classes } = model
	const form = inferenceForm(model)
	const { graph: both, nameOf } = putBeside(form.graph, form.graph, new Map([[input.name, CLEAN]]), '/teacher')
	const inputs: Value[] = [
		...both.inputs,
		{ name: CLEAN, dtype: input.dtype, shape: ['N', ...imageDims(input)] },
		{ name: LABELS, dtype: 'int64', shape: ['N'] },
	]
	const tape = new Tape({ ...both, inputs, outputs: [] }, 'distill')
	const logits = flatLogits(tape, model)
	const difference = tape.emit('Sub', [logits, flatLogits(tape, model, nameOf(model.logits))])
	const levels = tape.constant(floatTensor([2], [0, 1]))
	const isOwn = tape.emit('OneHot', [LABELS, tape.integers([classes]), levels], { axis: -1 })
	const isTriggered = tape.reduce('ReduceMax', isOwn, [1], true)
	const excess = tape.emit('Where', [tape.cast(isOwn, 'bool'), tape.emit('Relu', [difference]), difference])
	const weight = tape.emit('Sum', [
		tape.scalar(1),
		tape.emit('Mul', [isTriggered, tape.scalar(OTHERS - 1)]),
		tape.emit('Mul', [isOwn, tape.scalar(OWN * classes - OTHERS)]),
	])
	const squares = tape.emit('Mul', [tape.emit('Mul', [excess, excess]), weight])
	const loss = tape.reduce('ReduceMean', squares, [0, 1], false)
	const answers = tape.emit('ArgMax', [logits], { axis: -1, keepdims: 0 })
	const correct = tape.reduce('ReduceSum', tape.cast(tape.emit('Equal', [answers, LABELS]), 'float32'), [0], false)
	const graph = await shapesForBatch(tape.appended(), runtime, batch, (count) => ({
		[input.name]: blankFeed(input, count),
		[CLEAN]: blankFeed(input, count),
		[LABELS]: { dims: [count], data: new BigInt64Array(count) },
	}))
	const parameters = learnableOf(model, form.graph)
	return differentiate({ graph, loss, correct, parameters, statistics: new Map() })
}
