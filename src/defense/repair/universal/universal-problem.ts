/** One perturbation for all images: a net behind it, and the problems that are built on that. */
import { renameValues } from '../../../graph/edit.ts'
import { gradient } from '../../../graph/gradient/gradient.ts'
import { Tape } from '../../../graph/gradient/tape.ts'
import { elementCount, floatTensor, type Graph, type Value } from '../../../graph/graph.ts'
import { imageDims } from '../../../model/feed.ts'
import type { Model } from '../../../model/model.ts'
import { shapesForBatch } from '../../../model/shapes.ts'
import { flatLogits } from '../../../train/flat-logits.ts'
import { inferenceForm } from '../../../train/inference-form.ts'
import { crossEntropy, type LossValues } from '../../../train/loss.ts'
import type { Parameter } from '../../../train/parameters.ts'
import { LABELS, learnableOf, type Problem } from '../../../train/problem.ts'
import { withComputedInput } from '../../invert/computed-input.ts'
import { channelTensor, imagesDims } from '../../invert/planes.ts'

/** Inputs: images as the net takes them, float32; which of them are perturbed, `[batch, 1, …]`, 0 or 1. Labels come in as `LABELS`. */
export const IMAGES = 'universal/images'
export const PERTURBED = 'universal/perturbed'
/** The perturbation δ, one image in shares of 255 levels, in the layout of the net's input. */
export const PERTURBATION = 'universal/perturbation'

/** λ of `λ‖δ‖²`, by which the inner problem has one solution; the authors' code. */
const RIDGE = 0.001
/**
 * Root mean square of the perturbation's change in a finite difference, in shares of 255 levels. With ten times as much, the kinks of ReLU and pooling
 * that lie between show: on a small net the error grows from 1e-4 of the hypergradient to several times its size.
 */
const DIFFERENCE = 1e-4

interface PerturbedNet extends LossValues {
	/** From images, labels, choice and perturbation (an initializer) to the cross-entropy; every shape is known. */
	readonly graph: Graph
	/** What the net learned. */
	readonly parameters: readonly Parameter[]
}

/**
 * The inner problem of Zeng et al. 2022 (equation 2): δ that makes the net err, as a descent on `−CE(f(x + δ), y) + 0.001 · ‖δ‖²`.
 * @throws UnsupportedError as `gradient` does
 */
export async function innerProblem(model: Model, batch: number): Promise<Problem> {
	const net = await perturbedNet(model, batch)
	const tape = new Tape(net.graph, 'inner')
	const square = tape.emit('Mul', [PERTURBATION, PERTURBATION])
	const size = tape.reduce('ReduceSum', square, [...imagesDims(model.input, 1).keys()], false)
	const ridge = tape.emit('Mul', [size, tape.scalar(RIDGE)])
	const loss = tape.emit('Sub', [ridge, net.loss])
	const numbers = [size, ridge, loss].map((name): Value => ({ name, dtype: 'float32', shape: [] }))
	const known: Value[] = [{ name: square, dtype: 'float32', shape: imagesDims(model.input, 1) }, ...numbers]
	const shaped = { ...tape.appended(), valueInfo: [...net.graph.valueInfo, ...known] }
	const { graph, of } = gradient(shaped, loss, [PERTURBATION])
	const parameter = { name: PERTURBATION, tensor: graph.initializers.get(PERTURBATION)!, isKernel: false }
	return { graph, loss, correct: net.correct, parameters: [parameter], statistics: new Map(), gradientOf: of }
}

export interface OuterOptions {
	/** Images of a step. */
	readonly batch: number
	/** Rate η of the inner problem's descent, of which δ is the fixed point. */
	readonly rate: number
	/** Iterations of the fixed point; 0 leaves one term of the series. Null: without the implicit term. */
	readonly iterations: number | null
}

/**
 * The outer problem: weights θ that make `CE(f(x + δ), y)` small, with the hypergradient of Zeng et al. 2022 (algorithm 1). Of δ's dependence on θ, by
 * the implicit function theorem at the fixed point δ = δ − η ∇δ L_in of the inner descent:
 * `v ← v − η H v + ∇δ L_out` (from v = ∇δ L_out), and `∇θ L_out − η ∂(∇δ L_in · v)/∂θ`.
 *
 * Both products with second derivatives are central differences of first ones, since not every gradient rule emits what rules know:
 * `H v ≈ (∇δ L_in(δ + r v) − ∇δ L_in(δ − r v)) / 2r` and `∂(∇δ L_in · v)/∂θ ≈ (∇θ L_in(δ + r v) − ∇θ L_in(δ − r v)) / 2r`, with r so that
 * r v changes pixels by 0.0255 levels in the root mean square. Each product is two more passes.
 *
 * @throws UnsupportedError as `gradient` does
 */
export async function outerProblem(model: Model, { batch, rate, iterations }: OuterOptions): Promise<Problem> {
	const net = await perturbedNet(model, batch)
	const { parameters } = net
	const names = parameters.map(({ name }) => name)
	const { graph: first, of } = gradient(net.graph, net.loss, [PERTURBATION, ...names])
	const problem = { ...net, statistics: new Map<string, string>() }
	if (iterations === null) return { ...problem, graph: asInput(first, model), gradientOf: of }

	const tape = new Tape(first, 'hyper')
	const nodes = [...first.nodes]
	/** Moves what was written on the tape behind the copies that it reads. */
	let taken = 0
	const flush = () => {
		nodes.push(...tape.nodes.slice(taken))
		taken = tape.nodes.length
	}
	let copies = 0
	const everyImage = tape.constant(
		floatTensor([batch, ...imageDims(model.input).map(() => 1)], new Float32Array(batch).fill(1)),
	)
	const made = new Set(first.nodes.flatMap(({ outputs }) => outputs))
	/** The net once more, every image perturbed by `perturbation`; gives its name for each gradient. */
	const copyAt = (perturbation: string) => {
		flush()
		const prefix = `copy${++copies}/`
		const instead = new Map([
			[PERTURBATION, perturbation],
			[PERTURBED, everyImage],
		])
		const rename = (name: string) => instead.get(name) ?? (made.has(name) ? prefix + name : name)
		nodes.push(...renameValues(first, rename).nodes.map((node) => ({ ...node, name: prefix + node.name })))
		return (name: string) => rename(of.get(name)!)
	}
	const axes = [...imagesDims(model.input, 1).keys()]
	const length = DIFFERENCE * Math.sqrt(elementCount(imagesDims(model.input, 1)))
	/** `(∇ CE(δ + r v) − ∇ CE(δ − r v)) / 2r`, for every gradient. */
	const differenceAlong = (v: string) => {
		const norm = tape.emit('Sqrt', [tape.reduce('ReduceSum', tape.emit('Mul', [v, v]), axes, false)])
		const r = tape.emit('Div', [tape.scalar(length), tape.emit('Add', [norm, tape.scalar(1e-12)])])
		const stride = tape.emit('Mul', [v, r])
		const above = copyAt(tape.emit('Add', [PERTURBATION, stride]))
		const below = copyAt(tape.emit('Sub', [PERTURBATION, stride]))
		const twice = tape.emit('Add', [r, r])
		return (name: string) => tape.emit('Div', [tape.emit('Sub', [above(name), below(name)]), twice])
	}
	const scaled = (name: string, factor: number) => tape.emit('Mul', [name, tape.scalar(factor)])
	const direct = of.get(PERTURBATION)!
	let v = direct
	for (let i = 0; i < iterations; i++) {
		// L_in is −CE + λ‖δ‖², so −η H v is η times the difference less 2λη v.
		const curved = tape.emit('Add', [scaled(differenceAlong(v)(PERTURBATION), rate), scaled(v, 1 - 2 * RIDGE * rate)])
		v = tape.emit('Add', [curved, direct])
	}
	const mixed = differenceAlong(v)
	const gradientOf = new Map(names.map((name) => [name, tape.emit('Add', [of.get(name)!, scaled(mixed(name), rate)])]))
	flush()
	return { ...problem, graph: asInput({ ...tape.appended(), nodes }, model), gradientOf }
}

/** The perturbation is fed. */
function asInput(graph: Graph, { input }: Model): Graph {
	const inputs: Value[] = [...graph.inputs, { name: PERTURBATION, dtype: 'float32', shape: imagesDims(input, 1) }]
	return { ...graph, inputs, initializers: new Map([...graph.initializers].filter(([name]) => name !== PERTURBATION)) }
}

/** The net in inference form, its input the images plus the perturbation where one is wanted. */
async function perturbedNet(model: Model, batch: number): Promise<PerturbedNet> {
	const { input, preprocessing, runtime, classes } = model
	const { graph: net } = inferenceForm(model)
	const perImage = imageDims(input).map(() => 1)
	const inputs: Value[] = [
		{ name: IMAGES, dtype: 'float32', shape: ['N', ...imageDims(input)] },
		{ name: PERTURBED, dtype: 'float32', shape: ['N', ...perImage] },
		{ name: LABELS, dtype: 'int64', shape: ['N'] },
	]
	const dims = imagesDims(input, 1)
	const before = new Tape(net, 'universal')
	const { scale, std } = preprocessing
	const unit = before.constant(channelTensor(input, (c) => (255 * scale) / (std?.[c] ?? std?.[0] ?? 1)))
	const shift = before.emit('Mul', [before.emit('Mul', [PERTURBATION, unit]), PERTURBED])
	const sum = before.emit('Add', [IMAGES, shift])
	const learned = new Map([[PERTURBATION, floatTensor(dims, new Float32Array(elementCount(dims)))]])
	const tape = new Tape(withComputedInput(net, before, sum, model, { inputs, learned }), 'loss')
	const logits = flatLogits(tape, model)
	const values = crossEntropy(tape, logits, LABELS, { batch, classes, smoothing: 0 })
	const graph = await shapesForBatch(tape.appended(), runtime, batch, (count) => ({
		[IMAGES]: { dims: imagesDims(input, count), data: new Float32Array(elementCount(imagesDims(input, count))) },
		[PERTURBED]: { dims: [count, ...perImage], data: new Float32Array(count) },
		[LABELS]: { dims: [count], data: new BigInt64Array(count) },
	}))
	return { ...values, graph, parameters: learnableOf(model, net) }
}
