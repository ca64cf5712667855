/** Training: many steps of one graph on seeded batches, with checkpoints from which a run goes on as if it had never stopped. */
import type { EpochRecord } from '../contracts/training.ts'
import type { ImageSet } from '../data/image-set.ts'
import { FormatError, type InputError, throwIfAborted } from '../errors.ts'
import type { Model } from '../model/model.ts'
import { predict } from '../model/predict.ts'
import type { Feed, Loop } from '../runtime/runtime.ts'
import { NO_AUGMENTATION } from './augment.ts'
import { type BatchSource, type TrainingImages, trainingBatches } from './batches.ts'
import type { RunningSums, TrainingCheckpoint } from './checkpoint.ts'
import { divergedAt, firstNotFinite } from './diverged.ts'
import { labelledFeeds } from './labelled-feeds.ts'
import { checkOptions, type TrainOptions } from './options.ts'
import { classification, type Problem } from './problem.ts'
import { runSteps, scalarFeeds } from './run-steps.ts'
import { buildStep, type Step } from './step.ts'
import { withWeights } from './weights.ts'

export interface TrainedModel {
	readonly model: Model
	readonly history: readonly EpochRecord[]
}

/**
 * Trains `model` on `images`. The same seed on the same machine gives the same bytes, also where the run was stopped and went on from a
 * checkpoint.
 *
 * @param images of the model's size, labels 0..classes−1
 * @throws UsageError `bad-training-option`; InputError `label-out-of-range`, `shape-mismatch`; `diverged` where the loss or a weight stops being a
 *   finite number; UnsupportedError `no-gradient` with the operator and its path; FormatError `bad-checkpoint` for one of another net
 */
export async function train(model: Model, images: TrainingImages, options: TrainOptions): Promise<TrainedModel> {
	checkOptions(model, images, options)
	const { optimizer, smoothing = 0, clip = null, masks = new Map(), augmentation = NO_AUGMENTATION, seed } = options
	const size = Math.min(options.batch, images.count)
	const source = trainingBatches(images, size, augmentation, seed)
	const problem = await (options.problem ?? classification)(model, { batch: size, smoothing })
	const step = buildStep(problem, [problem.loss, problem.correct], { optimizer, clip, masks })
	const start = (await options.checkpoints?.load()) ?? firstCheckpoint(step)
	checkFits(start, step)
	const { graph, carried } = step
	const loop = await model.runtime.loadLoop(graph, { ...carried, state: start.state })
	try {
		return await runFrom(start, { model, options, images, source, problem, step, loop, size })
	} finally {
		await loop.close()
	}
}

const NOTHING: RunningSums = { loss: 0, correct: 0, images: 0 }

function firstCheckpoint({ carried }: Step): TrainingCheckpoint {
	return { step: 0, state: carried.state, best: null, history: [], running: NOTHING }
}

/** A file that was changed by hand, or copied from another run, would fail at the first step with the engine's words. */
function checkFits({ state, best }: TrainingCheckpoint, { carried, learned }: Step): void {
	const ours = Object.entries(carried.state)
	const sameShape = (feed: Feed | undefined, { dims }: Feed) => feed?.dims.join() === dims.join()
	const isOurs = ours.every(([name, feed]) => sameShape(state[name], feed))
	const isBestOurs = best === null || learned.every((name) => sameShape(best[name], carried.state[name]!))
	if (isOurs && isBestOurs && Object.keys(state).length === ours.length) return
	const message = `expected a checkpoint of this net and optimizer (${ours.length} arrays), found one of other arrays; start anew with --force`
	throw new FormatError('bad-checkpoint', message)
}

/** All that stays the same from step to step. */
interface Setting {
	readonly model: Model
	readonly options: TrainOptions
	readonly images: TrainingImages
	readonly source: BatchSource
	readonly problem: Problem
	readonly step: Step
	readonly loop: Loop
	/** Images a step. */
	readonly size: number
}

/** What is fed at one step, and what an error would say of it. */
interface PreparedStep {
	readonly feeds: Record<string, Feed>
	readonly rate: number
}

async function runFrom(start: TrainingCheckpoint, setting: Setting): Promise<TrainedModel> {
	const { options, source, step, loop } = setting
	const steps = options.epochs * source.stepsPerEpoch
	const { checkpoints, signal } = options
	let { running } = start
	let best = start.best
	const history = [...start.history]
	const capture = async (done: number): Promise<TrainingCheckpoint> => {
		const state = await loop.state()
		const name = firstNotFinite(state)
		if (name !== null) throw divergence(setting, Math.max(0, done - 1), `${name} is not finite`)
		return { step: done, state, best, history, running }
	}
	let done = start.step
	const interrupt = async () => {
		if (signal?.aborted) await checkpoints?.save(await capture(done))
		throwIfAborted(signal)
	}
	await interrupt()
	const isOver = () => hasConverged(history, options.patience ?? null)
	const feedsOf = (number: number) => prepare(setting, number).feeds
	for await (const { done: number, results } of runSteps(loop, feedsOf, { from: done, to: isOver() ? done : steps })) {
		done = number
		running = addStep(running, results, setting, done - 1)
		report(setting, running, done, steps)
		if (done % source.stepsPerEpoch === 0) {
			const { state } = await capture(done)
			const record = await endEpoch(setting, state, running, history.length + 1)
			// Kept only where it may be asked for: it makes every checkpoint larger by a third and more.
			if (options.patience != null && isBest(record, history)) best = learnedOf(step, state)
			history.push(record)
			running = NOTHING
		}
		if (checkpoints?.isDue()) await checkpoints.save(await capture(done))
		if (isOver()) break
		if (done < steps) await interrupt()
	}
	const last = await capture(done)
	await checkpoints?.save(last)
	const weights = options.patience == null || best === null ? learnedOf(step, last.state) : best
	return { model: withWeights(setting.model, weights), history }
}

/** Images and labels of step `number`, counted from 0, and the optimizer's scalars. */
function prepare({ model, options, images, source }: Setting, number: number): PreparedStep {
	const steps = options.epochs * source.stepsPerEpoch
	const rate = options.rate * (options.schedule?.(number, steps) ?? 1)
	const feeds = {
		...labelledFeeds(model, images, source.batch(number)),
		...scalarFeeds(options.optimizer, number, rate),
	}
	return { feeds, rate }
}

function addStep(
	sums: RunningSums,
	results: Readonly<Record<string, Feed>>,
	setting: Setting,
	number: number,
): RunningSums {
	const { problem, size } = setting
	const loss = Number(results[problem.loss]!.data[0])
	if (!Number.isFinite(loss)) throw divergence(setting, number, `the loss is ${loss}`)
	return {
		loss: sums.loss + loss * size,
		correct: sums.correct + Number(results[problem.correct]!.data[0]),
		images: sums.images + size,
	}
}

/** The pixels of the step were given away, so they are made again. */
function divergence(setting: Setting, number: number, what: string): InputError {
	const { feeds, rate } = prepare(setting, number)
	const { data } = feeds[setting.model.input.name]!
	const largestInput = (data as Float32Array).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
	const epoch = Math.floor(number / setting.source.stepsPerEpoch) + 1
	return divergedAt({ step: number + 1, epoch, rate, largestInput }, what)
}

function report({ options, source, size }: Setting, sums: RunningSums, done: number, steps: number): void {
	options.onProgress?.({
		done: done * size,
		total: steps * size,
		epoch: Math.ceil(done / source.stepsPerEpoch),
		epochs: options.epochs,
		loss: sums.loss / sums.images,
		accuracy: sums.correct / sums.images,
		isEpochDone: done % source.stepsPerEpoch === 0,
	})
}

async function endEpoch(
	{ model, options, step }: Setting,
	state: Readonly<Record<string, Feed>>,
	{ loss, correct, images }: RunningSums,
	epoch: number,
): Promise<EpochRecord> {
	const { valid, signal } = options
	return {
		epoch,
		loss: loss / images,
		train: { correct, total: images },
		valid: valid ? await countCorrect(withWeights(model, learnedOf(step, state)), valid, signal) : null,
	}
}

async function countCorrect(model: Model, images: ImageSet, signal: AbortSignal | undefined) {
	let correct = 0
	for await (const { start, labels } of predict(model, images, { signal })) {
		for (const [i, label] of labels.entries()) if (label === images.labels?.[start + i]) correct++
	}
	return { correct, total: images.count }
}

/** Better on the validation images than every epoch before it. */
function isBest(record: EpochRecord, before: readonly EpochRecord[]): boolean {
	return before.every(({ valid }) => (record.valid?.correct ?? 0) > (valid?.correct ?? 0))
}

/** Have `patience` epochs passed since the best one? */
function hasConverged(history: readonly EpochRecord[], patience: number | null): boolean {
	if (patience === null) return false
	const best = history.findLastIndex((record, i) => isBest(record, history.slice(0, i)))
	return best !== -1 && history.length - 1 - best >= patience
}

function learnedOf({ learned }: Step, state: Readonly<Record<string, Feed>>): Record<string, Feed> {
	return Object.fromEntries(learned.map((name) => [name, state[name]!]))
}
