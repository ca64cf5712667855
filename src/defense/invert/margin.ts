/**
 * How far an input can raise a label above all others (Wang et al., "MM-BD: Post-Training Detection of Backdoor Attacks with Arbitrary Backdoor Pattern
 * Types Using a Maximum Margin Statistic", IEEE S&P 2024, section 3). A backdoor makes its target's margin large. Needs no
 * pictures and takes all labels at once, so it says which few of a thousand labels are worth an inversion; alone it also picks labels of honest nets.
 */
import { gradient } from '../../graph/gradient/gradient.ts'
import { Tape } from '../../graph/gradient/tape.ts'
import { elementCount, floatTensor, type Value } from '../../graph/graph.ts'
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import { shapesForBatch } from '../../model/shapes.ts'
import { createRandom } from '../../random.ts'
import { adam } from '../../train/adam.ts'
import { flatLogits } from '../../train/flat-logits.ts'
import { inferenceForm } from '../../train/inference-form.ts'
import type { Problem } from '../../train/problem.ts'
import { runSteps, scalarFeeds } from '../../train/run-steps.ts'
import { buildStep, type Step } from '../../train/step.ts'
import { preprocessed, withComputedInput } from './computed-input.ts'
import { imagesDims } from './planes.ts'

/** Second name of the random stream. */
const STREAM = 63
/** Labels a run: what a batch of images is elsewhere. */
const LABELS_PER_RUN = 64
/** The ranks of true targets are the same after 10 steps as after 40, on the two face nets of CSAW (docs/decisions/024). */
const STEPS = 20
const RATE = 0.15
const OPTIMIZER = adam()

/** The pictures that are sought, before their tanh; and the labels `[batch]`, int64. */
const PICTURES = 'margin/pictures'
const TARGETS = 'margin/targets'
/** Takes a label out of a maximum over labels. */
const FAR = 1e6

export interface MarginOptions {
	/** Names the random stream: where the pictures start. */
	readonly seed: number
	readonly signal?: AbortSignal | undefined
	/** Called after each step. */
	readonly onProgress?: OnProgress | undefined
}

/**
 * For every label the largest `logit[label] − max(other logits)` that gradient ascent finds among pictures with pixels in 0..255, `[classes]`.
 *
 * @throws UnsupportedError as `gradient` does; InterruptedError
 */
export async function marginMaxima(model: Model, { seed, signal, onProgress }: MarginOptions): Promise<Float32Array> {
	const { classes, input, runtime } = model
	const batch = Math.min(LABELS_PER_RUN, classes)
	const { problem, margins } = await marginProblem(model, batch)
	const step = buildStep(problem, [margins], { optimizer: OPTIMIZER, clip: null, masks: new Map() })
	const runs = Math.ceil(classes / batch)
	const maxima = new Float32Array(classes).fill(Number.NEGATIVE_INFINITY)
	const dims = imagesDims(input, batch)
	for (let run = 0; run < runs; run++) {
		const random = createRandom(seed, STREAM, run)
		const pictures = Float32Array.from({ length: elementCount(dims) }, () => random.between(-1, 1))
		// The last labels may be fewer than a batch: some then run twice.
		const labels = Array.from({ length: batch }, (_, i) => Math.min(run * batch + i, classes - 1))
		const loop = await runtime.loadLoop(step.graph, withPictures(step, { dims, data: pictures }))
		try {
			const feedsOf = (number: number) => ({
				[TARGETS]: { dims: [batch], data: BigInt64Array.from(labels, BigInt) },
				...scalarFeeds(OPTIMIZER, number, RATE),
			})
			for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: STEPS, signal })) {
				for (const [i, label] of labels.entries()) {
					maxima[label] = Math.max(maxima[label]!, Number(results[margins]!.data[i]))
				}
				onProgress?.(run * STEPS + done, runs * STEPS)
			}
		} finally {
			await loop.close()
		}
	}
	return maxima
}

function withPictures({ carried }: Step, pictures: { dims: number[]; data: Float32Array }) {
	return { ...carried, state: { ...carried.state, [PICTURES]: pictures } }
}

async function marginProblem(model: Model, batch: number): Promise<{ problem: Problem; margins: string }> {
	const { input, classes, runtime } = model
	const { graph: net } = inferenceForm(model)
	const dims = imagesDims(input, batch)
	const before = new Tape(net, 'margin')
	// tanh is −1..1, levels are 0..255.
	const level = before.emit('Mul', [
		before.emit('Add', [before.emit('Tanh', [PICTURES]), before.scalar(1)]),
		before.scalar(255 / 2),
	])
	const targets: Value = { name: TARGETS, dtype: 'int64', shape: ['N'] }
	const fed: Value = { name: PICTURES, dtype: 'float32', shape: ['N', ...dims.slice(1)] }
	const shown = preprocessed(before, level, model)
	const graph = withComputedInput(net, before, shown, model, { inputs: [fed, targets], learned: new Map() })
	const tape = new Tape(graph, 'margin/loss')
	const logits = flatLogits(tape, model)
	const levels = tape.constant(floatTensor([2], [0, 1]))
	const isTarget = tape.emit('OneHot', [TARGETS, tape.integers([classes]), levels], { axis: -1 })
	const own = tape.reduce('ReduceSum', tape.emit('Mul', [logits, isTarget]), [1], false)
	const others = tape.emit('Sub', [logits, tape.emit('Mul', [isTarget, tape.scalar(FAR)])])
	const margins = tape.emit('Sub', [own, tape.reduce('ReduceMax', others, [1], false)])
	const loss = tape.emit('Neg', [tape.reduce('ReduceSum', margins, [0], false)])
	const shaped = await shapesForBatch(tape.appended(), runtime, batch, (count) => ({
		[PICTURES]: { dims: imagesDims(input, count), data: new Float32Array(elementCount(imagesDims(input, count))) },
		[TARGETS]: { dims: [count], data: new BigInt64Array(count) },
	}))
	const learned = { name: PICTURES, tensor: floatTensor(dims, new Float32Array(elementCount(dims))), isKernel: false }
	const { graph: whole, of } = gradient(shaped, loss, [PICTURES])
	// Carried from step to step, so no longer an input that is fed.
	const inputs = whole.inputs.filter(({ name }) => name !== PICTURES)
	const initializers = new Map([...whole.initializers, [PICTURES, learned.tensor]])
	const problem = {
		...{ graph: { ...whole, inputs, initializers }, gradientOf: of, parameters: [learned] },
		...{ loss, correct: loss, statistics: new Map() },
	}
	return { problem, margins }
}
