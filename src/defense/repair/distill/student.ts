/** A net that learns to answer as it did before, but not with a trigger's label on pictures that carry the trigger. */
import { valuesOf } from '../../../data/labelled.ts'
import { preprocess } from '../../../data/preprocess.ts'
import { InputError } from '../../../errors.ts'
import { pixelFeed } from '../../../model/feed.ts'
import type { Model } from '../../../model/model.ts'
import type { Random } from '../../../random.ts'
import type { Feed } from '../../../runtime/runtime.ts'
import { adam } from '../../../train/adam.ts'
import { firstNotFinite } from '../../../train/diverged.ts'
import { LABELS, type Problem } from '../../../train/problem.ts'
import { runSteps, scalarFeeds } from '../../../train/run-steps.ts'
import { buildStep, type Step } from '../../../train/step.ts'
import { withWeights } from '../../../train/weights.ts'
import type { InvertedTrigger } from '../../invert/invert-trigger.ts'
import type { UnlabeledImages } from '../method.ts'
import { CLEAN, distillationProblem } from './distillation-problem.ts'
import { drawVaried, stampVaried } from './varied-pictures.ts'

const OPTIMIZER = adam()
/** Steps over which the rate comes up: Adam's first steps are as long as all others, whatever the gradient. */
const WARM_UP = 10

/** What the steps of one lesson are made of. */
export interface Lesson {
	readonly images: UnlabeledImages
	/** At least one; each stamped picture draws one of them. */
	readonly triggers: readonly InvertedTrigger[]
	readonly random: Random
	/** Steps at most. */
	readonly steps: number
	/** The learning rate of a step, counted from 0. */
	readonly rateOf: (step: number) => number
	/** What a step found: the share of its triggered pictures that got the trigger's label. @returns whether the lesson is over */
	readonly observe?: (share: number, step: number) => boolean
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface StudentOptions {
	/** Pictures a step. */
	readonly batch: number
	/** Share of them with a trigger, 0..1. */
	readonly share: number
}

/** Goes on learning from lesson to lesson. */
export interface Student {
	/** The net as it is now. */
	readonly model: Model
	/** @throws InputError `diverged`; InterruptedError */
	learn(lesson: Lesson): Promise<void>
}

/**
 * A student that starts as its teacher `model`, which stays as it was.
 * @throws UnsupportedError as `gradient` does; InputError `nothing-to-train`
 */
export async function openStudent(model: Model, { batch, share }: StudentOptions): Promise<Student> {
	const problem = await distillationProblem(model, batch)
	const step = buildStep(problem, [problem.loss, problem.correct], {
		optimizer: OPTIMIZER,
		clip: null,
		masks: new Map(),
	})
	const setting = { teacher: model, problem, step, batch, stamped: Math.max(1, Math.round(batch * share)) }
	let weights: Readonly<Record<string, Feed>> = {}
	return {
		get model() {
			return withWeights(model, weights)
		},
		async learn(lesson) {
			weights = await learn(setting, weights, lesson)
		},
	}
}

interface Setting {
	readonly teacher: Model
	readonly problem: Problem
	readonly step: Step
	readonly batch: number
	/** Pictures of a batch that get a trigger. */
	readonly stamped: number
}

/** The weights after a lesson. */
async function learn(
	{ teacher, problem, step, batch, stamped }: Setting,
	weights: Readonly<Record<string, Feed>>,
	{ images, triggers, random, steps, rateOf, observe, signal, onProgress }: Lesson,
): Promise<Record<string, Feed>> {
	const state = { ...step.carried.state, ...weights }
	const loop = await teacher.runtime.loadLoop(step.graph, { ...step.carried, state: copyOf(state) })
	const feedsOf = (number: number) => ({
		...drawBatch(teacher, images, triggers, random, { batch, stamped }),
		...scalarFeeds(OPTIMIZER, number, rateOf(number) * Math.min(1, (number + 1) / WARM_UP)),
	})
	try {
		for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: steps, signal })) {
			const loss = Number(results[problem.loss]!.data[0])
			if (!Number.isFinite(loss)) throw diverged(done, `the loss is ${loss}`)
			onProgress?.(done, steps)
			if (observe?.(Number(results[problem.correct]!.data[0]) / stamped, done)) break
		}
		const learned = await loop.state()
		const bad = firstNotFinite(learned)
		if (bad !== null) throw diverged(steps, `${bad} is no longer finite`)
		return Object.fromEntries(step.learned.map((name) => [name, learned[name]!]))
	} finally {
		await loop.close()
	}
}

/** The engine takes what it is fed, and the student needs its weights again. */
function copyOf(state: Readonly<Record<string, Feed>>): Record<string, Feed> {
	return Object.fromEntries(
		Object.entries(state).map(([name, { dims, data }]) => [
			name,
			{ dims, data: Float32Array.from(data as Float32Array) },
		]),
	)
}

/** Pictures as teacher and student see them: the same but for the first `stamped`, on which the student sees a trigger. */
function drawBatch(
	model: Model,
	images: UnlabeledImages,
	triggers: readonly InvertedTrigger[],
	random: Random,
	{ batch, stamped }: { readonly batch: number; readonly stamped: number },
): Record<string, Feed> {
	const { input, preprocessing, classes } = model
	const length = valuesOf(images)
	const clean = new Float32Array(batch * length)
	for (let i = 0; i < batch; i++) drawVaried(images, random, clean.subarray(i * length, (i + 1) * length))
	const shown = clean.slice()
	const labels = new BigInt64Array(batch).fill(BigInt(classes))
	for (let i = 0; i < stamped; i++) {
		const trigger = random.pick(triggers)
		stampVaried(shown.subarray(i * length, (i + 1) * length), trigger, random)
		labels[i] = BigInt(trigger.label)
	}
	const from = { ...images, layout: 'NHWC' } as const
	const feed = (pixels: Float32Array) =>
		pixelFeed(input, preprocess({ start: 0, count: batch, pixels }, from, input, preprocessing), batch)
	return { [input.name]: feed(shown), [CLEAN]: feed(clean), [LABELS]: { dims: [batch], data: labels } }
}

function diverged(step: number, what: string): InputError {
	return new InputError('diverged', `distillation diverged: ${what} after step ${step}`)
}
