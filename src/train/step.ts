/**
 * One step of training as one graph: a batch and the parameters go in; the loss and the next parameters come out. Forward pass, gradient and
 * the optimizer's update are nodes of the same graph, so that a step is one run (docs/decisions/016).
 */
import { InputError } from '../errors.ts'
import { gradient } from '../graph/gradient/gradient.ts'
import { Tape } from '../graph/gradient/tape.ts'
import type { Graph, Tensor, Value } from '../graph/graph.ts'
import { blankFeed } from '../model/feed.ts'
import type { Model } from '../model/model.ts'
import { shapesForBatch } from '../model/shapes.ts'
import type { Carried, Feed } from '../runtime/runtime.ts'
import { clipByNorm } from './clip.ts'
import { crossEntropy, type LossValues } from './loss.ts'
import type { Optimizer } from './optimizer.ts'
import { type Parameter, parametersOf } from './parameters.ts'
import { trainingForm } from './training-form.ts'

export interface StepOptions {
	/** Images of a step. */
	readonly batch: number
	readonly optimizer: Optimizer
	/** Label smoothing ε, 0 for none. */
	readonly smoothing: number
	/** Greatest norm of the whole gradient; null for no limit. */
	readonly clip: number | null
	/** Parameter → an array of its shape, 1 where it learns and 0 where it keeps its value. Zeros stay zeros under weight decay, too. */
	readonly masks: ReadonlyMap<string, Tensor>
}

/** The input `[batch]`, int64, beside the images. */
export const LABELS = 'train/labels'

/** The input `[]` for one of the optimizer's scalars. */
export function scalarInput(name: string): string {
	return `train/${name}`
}

/** Outputs `[]`, float32, by the names of `LossValues`. */
export interface Step extends LossValues {
	readonly graph: Graph
	/** Parameters, running statistics and the optimizer's slots. */
	readonly carried: Carried
	/** Those of the carried inputs that are initializers of the model. */
	readonly learned: readonly string[]
}

/** @throws UnsupportedError as `gradient` does; InputError `nothing-to-train` for a graph without weights */
export async function buildStep(model: Model, options: StepOptions): Promise<Step> {
	const form = trainingForm(model)
	const { graph: whole, loss, correct } = withLoss(model, form.graph, options)
	const forward = await shapesForBatch(whole, model.runtime, options.batch, (count) => ({
		[model.input.name]: blankFeed(model.input, count),
		[LABELS]: { dims: [count], data: new BigInt64Array(count) },
	}))
	const parameters = parametersOf(forward)
	if (parameters.length === 0) {
		const message = `${model.source.path}: expected weights to train (of convolutions, matrices, normalizations), found none as float32 constants`
		throw new InputError('nothing-to-train', message, { path: model.source.path })
	}
	const names = parameters.map(({ name }) => name)
	const learning = gradient(forward, loss, names)
	const tape = new Tape(learning.graph, 'update')
	const update = writeUpdates(tape, parameters, learning.of, options)
	const learned = [...names, ...form.statistics.keys()]
	const carried: Carried = {
		outputOf: new Map([...form.statistics, ...update.outputOf]),
		state: {
			...Object.fromEntries(learned.map((name) => [name, feedOfTensor(forward.initializers.get(name)!)])),
			...update.slots,
		},
	}
	const graph = asLoop(
		tape.appended(),
		carried,
		[loss, correct],
		Object.keys(options.optimizer.scalars(1, 0)).map(scalarInput),
	)
	return { graph, carried, loss, correct, learned }
}

/** The forward pass with the loss behind it, and labels as a second input. */
function withLoss(model: Model, forward: Graph, { batch, smoothing }: StepOptions): LossValues & { graph: Graph } {
	const labels: Value = { name: LABELS, dtype: 'int64', shape: ['N'] }
	const graph = { ...forward, inputs: [...forward.inputs, labels], outputs: [] }
	const tape = new Tape(graph, 'loss')
	const isFlat = model.values.get(model.logits)?.shape?.length === 2
	const logits = isFlat ? model.logits : tape.emit('Flatten', [model.logits])
	const values = crossEntropy(tape, logits, LABELS, { batch, classes: model.classes, smoothing })
	return { graph: tape.appended(), ...values }
}

interface Updates {
	/** Carried input → output. */
	readonly outputOf: ReadonlyMap<string, string>
	/** What the optimizer remembers, all zeros. */
	readonly slots: Readonly<Record<string, Feed>>
}

function writeUpdates(
	tape: Tape,
	parameters: readonly Parameter[],
	gradientOf: ReadonlyMap<string, string>,
	{ optimizer, clip, masks }: StepOptions,
): Updates {
	const raw = parameters.map(({ name }) => masked(tape, gradientOf.get(name)!, masks.get(name)))
	const gradients = clip === null ? raw : clipByNorm(tape, raw, clip)
	const scalars = Object.fromEntries(Object.keys(optimizer.scalars(1, 0)).map((name) => [name, scalarInput(name)]))
	const outputOf = new Map<string, string>()
	const slots: Record<string, Feed> = {}
	for (const [i, { name, tensor, isKernel }] of parameters.entries()) {
		const own = optimizer.slots.map((slot) => `${slot}/${name}`)
		const update = optimizer.update({
			tape,
			parameter: name,
			gradient: gradients[i]!,
			slots: own,
			scalars,
			decays: isKernel,
		})
		outputOf.set(name, update.parameter)
		for (const [j, slot] of own.entries()) {
			outputOf.set(slot, update.slots[j]!)
			slots[slot] = { dims: tensor.dims, data: new Float32Array(tensor.bytes.length / 4) }
		}
	}
	return { outputOf, slots }
}

function masked(tape: Tape, gradient: string, mask: Tensor | undefined): string {
	return mask ? tape.emit('Mul', [gradient, tape.constant(mask)]) : gradient
}

/** The graph with what is carried as inputs and outputs. */
function asLoop(
	graph: Graph,
	{ outputOf, state }: Carried,
	results: readonly string[],
	scalars: readonly string[],
): Graph {
	const carried = Object.entries(state).map(([name, { dims }]): Value => ({ name, dtype: 'float32', shape: dims }))
	const inputs = [...graph.inputs, ...scalars.map((name): Value => ({ name, dtype: 'float32', shape: [] })), ...carried]
	const outputs = [...results, ...outputOf.values()].map((name): Value => ({ name, dtype: 'float32', shape: null }))
	return {
		...graph,
		inputs,
		outputs,
		initializers: new Map([...graph.initializers].filter(([name]) => !(name in state))),
		valueInfo: [],
	}
}

/** The values of a float32 tensor, copied: the engine will own them. */
function feedOfTensor({ dims, bytes }: Tensor): Feed {
	return { dims, data: new Float32Array(bytes.slice().buffer) }
}
