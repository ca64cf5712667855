/** What a step of descent makes smaller: a graph that computes a loss and its gradient with respect to what is learned. */
import { InputError } from '../errors.ts'
import { gradient } from '../graph/gradient/gradient.ts'
import { Tape } from '../graph/gradient/tape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { blankFeed } from '../model/feed.ts'
import type { Model } from '../model/model.ts'
import { shapesForBatch } from '../model/shapes.ts'
import { flatLogits } from './flat-logits.ts'
import { crossEntropy, type LossValues } from './loss.ts'
import { type Parameter, parametersOf } from './parameters.ts'
import { type TrainingForm, trainingForm } from './training-form.ts'

/** The input `[batch]`, int64, beside the images. */
export const LABELS = 'train/labels'

/** A forward pass with a loss behind it; every shape is known for one batch. */
export interface Forward extends LossValues {
	/** From the model's input and `LABELS` to the loss. */
	readonly graph: Graph
	/** What may learn: initializers of `graph`. */
	readonly parameters: readonly Parameter[]
	/** Running statistic (an initializer) → the value that it takes next. */
	readonly statistics: ReadonlyMap<string, string>
}

/** A forward pass with the gradient of what is to be made smaller. */
export interface Problem extends Forward {
	/** Parameter → the value that holds its gradient. */
	readonly gradientOf: ReadonlyMap<string, string>
}

export interface ProblemOptions {
	/** Images of a step. */
	readonly batch: number
	/** Label smoothing ε, 0 for none. */
	readonly smoothing: number
}

/** Makes the problem of a model: plain classification, or what a defense trains for. */
export type ProblemBuilder = (model: Model, options: ProblemOptions) => Promise<Problem>

/** Cross-entropy on the labels. @throws UnsupportedError as `gradient` does; InputError `nothing-to-train` */
export const classification: ProblemBuilder = async (model, options) =>
	differentiate(await classificationForward(model, options))

/** The forward pass of `classification`. @throws InputError `nothing-to-train` */
export function classificationForward(model: Model, { batch, smoothing }: ProblemOptions): Promise<Forward> {
	return buildForward(model, trainingForm(model), batch, (tape, logits) =>
		crossEntropy(tape, logits, LABELS, { batch, classes: model.classes, smoothing }),
	)
}

/**
 * A forward pass in `form`, closed by the loss that `write` puts behind the logits.
 *
 * @param write gets the logits as `[batch, classes]`, and every value of the form's graph by its name
 * @throws InputError `nothing-to-train` for a model without weights
 */
export async function buildForward(
	model: Model,
	form: TrainingForm,
	batch: number,
	write: (tape: Tape, logits: string) => LossValues,
): Promise<Forward> {
	const labels: Value = { name: LABELS, dtype: 'int64', shape: ['N'] }
	const tape = new Tape({ ...form.graph, inputs: [...form.graph.inputs, labels], outputs: [] }, 'loss')
	const logits = flatLogits(tape, model)
	const values = write(tape, logits)
	const graph = await shapesForBatch(tape.appended(), model.runtime, batch, (count) => ({
		[model.input.name]: blankFeed(model.input, count),
		[LABELS]: { dims: [count], data: new BigInt64Array(count) },
	}))
	return { graph, ...values, statistics: form.statistics, parameters: learnableOf(model, form.graph) }
}

/** The weights of `graph` that are the model's own. @throws InputError `nothing-to-train` */
export function learnableOf(model: Model, graph: Graph): readonly Parameter[] {
	const own = new Set(model.graph.initializers.keys())
	const parameters = parametersOf(graph).filter(({ name }) => own.has(name))
	if (parameters.length > 0) return parameters
	const { path } = model.source
	const message = `${path}: expected weights to train (of convolutions, matrices, normalizations), found none as float32 constants`
	throw new InputError('nothing-to-train', message, { path })
}

/** The gradient of the loss with respect to every parameter. @throws UnsupportedError as `gradient` does */
export function differentiate(forward: Forward): Problem {
	const { graph, of } = gradient(
		forward.graph,
		forward.loss,
		forward.parameters.map(({ name }) => name),
	)
	return { ...forward, graph, gradientOf: of }
}
