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
import { IMAGES, type InversionProblem, inversionProblem, TARGETS, WEIGHT } from './inversion-problem.ts'
import { Penalty, type Success } from './penalty.ts'
import { fromInputOrder, imagesDims } from './planes.ts'
import { type Start, startOf } from './start.ts'
import type { Trigger } from './trigger.ts'

/** Second name of the random stream. */
const STREAM = 61
/**
 * Adam as it was published, at a rate of its own: with the authors' (β 0.5 and 0.9, rate 0.1, λ from 1e-3; github.com/bolunwang/backdoor) masks shrink
 * four times as slowly, and after 150 steps the target of CSAW's face net has no smaller trigger than other labels.
 */
const OPTIMIZER = adam()
const RATE = 0.15
/** λ at the start. */
const WEIGHT_START = 0.01
/** Success that the authors ask of a trigger. */
const GOAL = 0.99
export interface InvertManyOptions {
	/** Steps of descent. Default 200. */
	readonly steps?: number
	/** Names the random stream: which images a step sees, and where it starts. */
	readonly seed: number
	/** The net as it is now: the same graph as the inverter's, with other weights. Default: the net that it was opened for. */
	readonly model?: Model
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: OnProgress | undefined
}

/** One trigger that is looked for. */
export interface Wish extends Start {
	/** The label that images are to be led to. */
	readonly label: number
}

export type InvertOptions = InvertManyOptions & Wish

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
	/** The same for several triggers, side by side as far as the inverter was opened for that; in the order of `wishes`. */
	invertMany(
		images: UnlabeledImages,
		wishes: readonly Wish[],
		options: InvertManyOptions,
	): Promise<readonly InvertedTrigger[]>
}

export interface InverterOptions {
	/** Images a step, each of which gets every trigger. Default 32. */
	readonly batch?: number
	/** Triggers that are sought side by side. Default 1. */
	readonly sideBySide?: number
}

/**
 * Builds the graph of an inversion step once. Each inversion only puts weights into it, so that a net which changes can be inverted again and
 * again, for any label.
 *
 * @throws UnsupportedError as `gradient` does
 */
export async function openInverter(
	model: Model,
	{ batch = 32, sideBySide = 1 }: InverterOptions = {},
): Promise<Inverter> {
	const problem = await inversionProblem(model, batch, sideBySide)
	const results = [problem.hits, problem.mask, problem.pattern]
	const step = buildStep(problem, results, { optimizer: OPTIMIZER, clip: null, masks: new Map() })
	const setting = { model, batch, sideBySide, problem, step }
	return {
		batch,
		invert: async (images, options) => (await invertMany(setting, images, [options], options))[0]!,
		invertMany: (images, wishes, options) => invertMany(setting, images, wishes, options),
	}
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
	readonly sideBySide: number
	readonly problem: InversionProblem
	readonly step: Step
}

async function invertMany(
	setting: Setting,
	images: UnlabeledImages,
	wishes: readonly Wish[],
	options: InvertManyOptions,
): Promise<InvertedTrigger[]> {
	const { steps = 200, signal, onProgress } = options
	for (const { label } of wishes) checkLabel(label, setting.model)
	const found: InvertedTrigger[] = []
	for (let from = 0; from < wishes.length; from += setting.sideBySide) {
		throwIfAborted(signal)
		const group = wishes.slice(from, from + setting.sideBySide)
		const total = Math.ceil(wishes.length / setting.sideBySide) * steps
		const before = (from / setting.sideBySide) * steps
		found.push(...(await invertGroup(setting, images, group, options, (done) => onProgress?.(before + done, total))))
	}
	return found
}

/** @param group as many as stand side by side, or fewer: the last then fills the places that are left */
async function invertGroup(
	setting: Setting,
	images: UnlabeledImages,
	group: readonly Wish[],
	{ steps = 200, seed, signal, model: current }: InvertManyOptions,
	onStep: (done: number) => void,
): Promise<InvertedTrigger[]> {
	const { model, batch, sideBySide, problem, step } = setting
	const random = createRandom(seed, STREAM, group[0]!.label)
	const places = Array.from({ length: sideBySide }, (_, i) => group[i] ?? group.at(-1)!)
	const penalties = places.map(() => new Penalty(WEIGHT_START, GOAL))
	const state = { ...step.carried.state, ...startOf(model, random, places) }
	const graph = current ? withWeightsOf(step.graph, current.graph) : step.graph
	const loop = await model.runtime.loadLoop(graph, { ...step.carried, state })
	const targets = BigInt64Array.from({ length: sideBySide * batch }, (_, i) =>
		BigInt(places[Math.floor(i / batch)]!.label),
	)
	const feedsOf = (number: number): Record<string, Feed> => ({
		[IMAGES]: drawImages(setting, images, random),
		[TARGETS]: { dims: [targets.length], data: targets.slice() },
		[WEIGHT]: { dims: [sideBySide], data: Float32Array.from(penalties, ({ weight }) => weight) },
		...scalarFeeds(OPTIMIZER, number, RATE),
	})
	const best: (InvertedTrigger | undefined)[] = group.map(() => undefined)
	try {
		for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: steps, signal })) {
			for (const [place, { label }] of group.entries()) {
				const hits = Number(results[problem.hits]!.data[place])
				const { isReached, ...success } = penalties[place]!.observe({ hits, total: batch })
				const mask = maskAt(model, results[problem.mask]!, place)
				const found = { label, norm: mask.reduce((sum, value) => sum + value, 0), success, isReached }
				const old = best[place]
				if (old && !isBetter(found, old)) continue
				best[place] = { ...found, ...triggerOf(model, mask, results[problem.pattern]!, place) }
			}
			onStep(done)
		}
	} finally {
		await loop.close()
	}
	// There was a step at least, so there is a best.
	return best.map((trigger) => trigger!)
}

type Quality = Pick<InvertedTrigger, 'isReached' | 'norm' | 'success'>

/** A trigger that works beats one that does not; of two that work, the smaller one is better. */
function isBetter(found: Quality, best: Quality): boolean {
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
	return { dims: imagesDims(model.input, batch), data }
}

/** The mask at `place`, a copy. */
function maskAt({ input: { height, width } }: Model, { data }: Feed, place: number): Float32Array {
	const area = height * width
	return Float32Array.from(data.slice(place * area, (place + 1) * area) as Float32Array)
}

/** What a step's mask and pattern are on pictures. */
function triggerOf({ input, preprocessing }: Model, mask: Float32Array, { data }: Feed, place: number): Trigger {
	const { height, width, channels } = input
	const length = height * width * channels
	const values = data.slice(place * length, (place + 1) * length) as Float32Array
	return { height, width, channels, mask, pattern: fromInputOrder(values, input, preprocessing) }
}
