/**
 * Trigger inversion: the smallest trigger that leads every image to one label (Neural Cleanse: Wang et al., "Neural Cleanse: Identifying
 * and Mitigating Backdoor Attacks in Neural Networks", IEEE S&P 2019, section IV.A).
 */

import { imageAt, valuesOf } from '../../data/labelled.ts'
import { preprocess } from '../../data/preprocess.ts'
import { throwIfAborted, UsageError } from '../../errors.ts'
import { replaceConstants } from '../../graph/edit.ts'
import type { Graph, Tensor } from '../../graph/graph.ts'
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import { createRandom, type Random } from '../../random.ts'
import type { Feed } from '../../runtime/runtime.ts'
import { adam } from '../../train/adam.ts'
import { runSteps, scalarFeeds } from '../../train/run-steps.ts'
import { buildStep, type Step } from '../../train/step.ts'
import type { UnlabeledImages } from '../repair/method.ts'
import { IMAGES, type InversionProblem, inversionProblem, MASK, PATTERN, TARGETS, WEIGHT } from './inversion-problem.ts'
import { Penalty, type Success } from './penalty.ts'
import { fromInputOrder, maskDims, patternDims, toInputOrder } from './planes.ts'
import { normOf, type Trigger } from './trigger.ts'

/** Second name of the random stream. */
const STREAM = 61
/** As the authors' code sets Adam (github.com/bolunwang/backdoor). */
const OPTIMIZER = adam({ beta1: 0.5, beta2: 0.9 })
const RATE = 0.1
/** λ at the start, theirs as well. */
const WEIGHT_START = 1e-3
/** Success that they ask of a trigger. */
const GOAL = 0.99
/** Where the mask starts, before its tanh: about 0.12 everywhere. Theirs starts anywhere in 0..1. */
const MASK_START = -1
const SPREAD = 0.15
/** A mask that starts from a known trigger stays so far from 0 and 1, where tanh has no slope. */
const EDGE = 0.02

export interface InvertOptions {
	/** The label that images are to be led to. */
	readonly label: number
	/** Steps of descent. Default 200. */
	readonly steps?: number
	/** Names the random stream: which images a step sees, and where it starts. */
	readonly seed: number
	/** The net as it is now: the same graph as the inverter's, with other weights. Default: the net that it was opened for. */
	readonly model?: Model
	/** A trigger to start from, of the net's input size. Default: a faint random one. */
	readonly start?: Trigger
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: OnProgress | undefined
}

/** A trigger that was found. */
export interface InvertedTrigger extends Trigger {
	readonly label: number
	/** The mask's L1 norm in pixels: what makes a label suspicious when it is small. */
	readonly norm: number
	/** Images that it led to the label, over the ten steps before it was taken. */
	readonly success: Success
	/** Did it reach 99 %? Else it is the one of the most success. */
	readonly isReached: boolean
}

/** Inversion ready for one net and all its descendants; holds nothing that must be closed. */
export interface Inverter {
	/** Images a step. */
	readonly batch: number
	/**
	 * Looks for the smallest trigger that leads 99 % of `images` to the label.
	 *
	 * @param images of the net's input size
	 * @throws UsageError `bad-label`; InputError `shape-mismatch`; InterruptedError
	 */
	invert(images: UnlabeledImages, options: InvertOptions): Promise<InvertedTrigger>
}

/**
 * Builds the graph of an inversion step once. Each inversion only puts weights into it, so that a net which changes can be inverted again and
 * again, for any label.
 *
 * @param batch images a step; default 32
 * @throws UnsupportedError as `gradient` does
 */
export async function openInverter(model: Model, { batch = 32 }: { readonly batch?: number } = {}): Promise<Inverter> {
	const problem = await inversionProblem(model, batch)
	const results = [problem.correct, problem.mask, problem.pattern]
	const step = buildStep(problem, results, { optimizer: OPTIMIZER, clip: null, masks: new Map() })
	return { batch, invert: (images, options) => invert({ model, batch, problem, step }, images, options) }
}

/** One inversion; see `openInverter` for many on one net. */
export async function invertTrigger(
	model: Model,
	images: UnlabeledImages,
	options: InvertOptions & { readonly batch?: number },
): Promise<InvertedTrigger> {
	const inverter = await openInverter(model, options)
	return inverter.invert(images, options)
}

interface Setting {
	readonly model: Model
	readonly batch: number
	readonly problem: InversionProblem
	readonly step: Step
}

async function invert(setting: Setting, images: UnlabeledImages, options: InvertOptions): Promise<InvertedTrigger> {
	const { model, batch, problem, step } = setting
	const { label, steps = 200, seed, signal, onProgress } = options
	checkLabel(label, model)
	throwIfAborted(signal)
	const random = createRandom(seed, STREAM, label)
	const penalty = new Penalty(WEIGHT_START, GOAL)
	const state = { ...step.carried.state, ...startOf(model, random, options.start) }
	const graph = options.model ? withWeightsOf(step.graph, options.model.graph) : step.graph
	const loop = await model.runtime.loadLoop(graph, { ...step.carried, state })
	const feedsOf = (number: number): Record<string, Feed> => ({
		[IMAGES]: drawImages(setting, images, random),
		[TARGETS]: { dims: [batch], data: new BigInt64Array(batch).fill(BigInt(label)) },
		[WEIGHT]: { dims: [], data: Float32Array.of(penalty.weight) },
		...scalarFeeds(OPTIMIZER, number, RATE),
	})
	let best: InvertedTrigger | null = null
	try {
		for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: steps, signal })) {
			const hits = Number(results[problem.correct]!.data[0])
			const { isReached, ...success } = penalty.observe({ hits, total: batch })
			const trigger = triggerOf(model, results[problem.mask]!, results[problem.pattern]!)
			const found = { ...trigger, label, norm: normOf(trigger), success, isReached }
			if (best === null || isBetter(found, best)) best = found
			onProgress?.(done, steps)
		}
	} finally {
		await loop.close()
	}
	// There was a step at least, so there is a best.
	return best!
}

/** A trigger that works beats one that does not; of two that work, the smaller one is better. */
function isBetter(found: InvertedTrigger, best: InvertedTrigger): boolean {
	if (found.isReached !== best.isReached) return found.isReached
	if (found.isReached) return found.norm < best.norm
	return found.success.hits * best.success.total >= best.success.hits * found.success.total
}

function checkLabel(label: number, { classes }: Model): void {
	if (Number.isInteger(label) && label >= 0 && label < classes) return
	throw new UsageError('bad-label', `expected a label 0..${classes - 1} to invert a trigger for, found ${label}`)
}

/** The step's graph with the constants that the two nets share as `graph` has them: the same step on a net that has learned since. */
export function withWeightsOf(step: Graph, { initializers }: Graph): Graph {
	const own = [...step.initializers].flatMap(([name, old]): [string, Tensor][] => {
		const tensor = initializers.get(name)
		return tensor && tensor.dims.join() === old.dims.join() ? [[name, tensor]] : []
	})
	return replaceConstants(step, new Map(own))
}

/** Images at random, as the net takes them. */
function drawImages({ model, batch }: Setting, images: UnlabeledImages, random: Random): Feed {
	const length = valuesOf(images)
	const pixels = new Uint8Array(batch * length)
	for (let i = 0; i < batch; i++) pixels.set(imageAt(images.pixels, random.below(images.count), images), i * length)
	const from = { ...images, layout: 'NHWC' } as const
	const data = preprocess({ start: 0, count: batch, pixels }, from, model.input, model.preprocessing)
	return { dims: patternDims(model.input, batch), data }
}

/** What a step's mask and pattern are on pictures. */
function triggerOf({ input, preprocessing }: Model, mask: Feed, pattern: Feed): Trigger {
	const { height, width, channels } = input
	const picture = fromInputOrder(pattern.data as Float32Array, input, preprocessing)
	return { height, width, channels, mask: mask.data as Float32Array, pattern: picture }
}

/** Mask and pattern before their tanh. */
function startOf({ input, preprocessing }: Model, random: Random, start: Trigger | undefined): Record<string, Feed> {
	const { height, width, channels } = input
	const mask = start
		? start.mask.map((value) => Math.atanh(2 * clamp(value) - 1))
		: Float32Array.from({ length: height * width }, () => random.between(MASK_START - SPREAD, MASK_START + SPREAD))
	const pattern = start
		? toInputOrder(start.pattern, input, preprocessing).map((value) => Math.atanh(2 * clamp(value / 255) - 1))
		: Float32Array.from({ length: height * width * channels }, () => random.between(-1, 1))
	return {
		[MASK]: { dims: maskDims(input), data: mask },
		[PATTERN]: { dims: patternDims(input, 1), data: pattern },
	}
}

function clamp(share: number): number {
	return Math.min(1 - EDGE, Math.max(EDGE, share))
}
