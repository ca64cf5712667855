/**
 * One step of descent as one graph: a batch and what is learned go in; the loss and the next values come out. Forward pass, gradient and the
 * optimizer's update are nodes of the same graph, so that a step is one run (docs/decisions/016).
 */
import { Tape } from '../graph/gradient/tape.ts'
import type { Graph, Tensor, Value } from '../graph/graph.ts'
import type { Carried, Feed } from '../runtime/runtime.ts'
import { clipByNorm } from './clip.ts'
import type { Optimizer } from './optimizer.ts'
import type { Problem } from './problem.ts'

export interface StepOptions {
	readonly optimizer: Optimizer
	/** Greatest norm of the whole gradient; null for no limit. */
	readonly clip: number | null
	/** Parameter → an array of its shape, 1 where it learns and 0 where it keeps its value. Zeros stay zeros under weight decay, too. */
	readonly masks: ReadonlyMap<string, Tensor>
	/** Parameter → the range that its entries are brought back into after each update. */
	readonly ranges?: ReadonlyMap<string, Range>
}

/** Both ends belong to it. */
export interface Range {
	readonly low: number
	readonly high: number
}

/** The input `[]` for one of the optimizer's scalars. */
export function scalarInput(name: string): string {
	return `train/${name}`
}

export interface Step {
	readonly graph: Graph
	/** Parameters, running statistics and the optimizer's slots. */
	readonly carried: Carried
	/** Those of the carried inputs that are initializers of the problem. */
	readonly learned: readonly string[]
}

/**
 * The step of `problem`.
 * @param results values that are told after every step, beside what is carried
 */
export function buildStep(problem: Problem, results: readonly string[], options: StepOptions): Step {
	const { parameters, statistics, graph } = problem
	const tape = new Tape(graph, 'update')
	const update = writeUpdates(tape, problem, options)
	const learned = [...parameters.map(({ name }) => name), ...statistics.keys()]
	const carried: Carried = {
		outputOf: new Map([...statistics, ...update.outputOf]),
		state: {
			...Object.fromEntries(learned.map((name) => [name, feedOfTensor(graph.initializers.get(name)!)])),
			...update.slots,
		},
	}
	const scalars = Object.keys(options.optimizer.scalars(1, 0)).map(scalarInput)
	return { graph: asLoop(tape.appended(), carried, results, scalars), carried, learned }
}

interface Updates {
	/** Carried input → output. */
	readonly outputOf: ReadonlyMap<string, string>
	/** What the optimizer remembers, all zeros. */
	readonly slots: Readonly<Record<string, Feed>>
}

function writeUpdates(
	tape: Tape,
	{ parameters, gradientOf }: Problem,
	{ optimizer, clip, masks, ranges = new Map() }: StepOptions,
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
		outputOf.set(name, within(tape, update.parameter, ranges.get(name)))
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

function within(tape: Tape, name: string, range: Range | undefined): string {
	return range ? tape.emit('Clip', [name, tape.scalar(range.low), tape.scalar(range.high)]) : name
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
