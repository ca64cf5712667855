/** Two nets side by side on the same noise: do they answer alike, and how much time does each take? */
import { memoryImages } from '../data/memory.ts'
import { preprocess } from '../data/preprocess.ts'
import { throwIfAborted } from '../errors.ts'
import { extract } from '../graph/edit.ts'
import type { Feed, Session } from '../runtime/runtime.ts'
import type { Model } from './model.ts'
import { batchSizeFor, feedOf, floatsOfFeed } from './predict.ts'

/** Images a run, unless the net's layers are so wide that fewer must do: the comparison should take moments. */
const IMAGES = 16
/** Alternating, so that whatever else the machine does hits both: at least 7, and as many more as fit into 2 seconds. */
const ROUNDS = { least: 7, most: 101, budgetSeconds: 2 }

export interface ModelComparison {
	/** The largest difference of two logits, relative to the largest logit of the first net. */
	readonly difference: number
	/** Medians. */
	readonly secondsPerImage: { readonly before: number; readonly after: number }
}

/**
 * @param before a net
 * @param after another of the same input and classes
 */
export async function compareModels(
	before: Model,
	after: Model,
	{
		signal,
		now = () => performance.now(),
	}: { signal?: AbortSignal | undefined; now?: (() => number) | undefined } = {},
): Promise<ModelComparison> {
	const count = before.input.batch ?? Math.min(IMAGES, batchSizeFor(before))
	const feed = await noise(before, count)
	const sessions = [await loadLogits(before), await loadLogits(after)] as const
	try {
		const logits: Float32Array[] = []
		const times: [number[], number[]] = [[], []]
		const begin = now()
		const isOver = (round: number) =>
			round >= ROUNDS.most || (round >= ROUNDS.least && now() - begin > 1000 * ROUNDS.budgetSeconds)
		for (let round = 0; !isOver(round); round++) {
			for (const i of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
				throwIfAborted(signal)
				const start = now()
				const results = await sessions[i].run(feed)
				times[i].push((now() - start) / 1000 / count)
				logits[i] = floatsOfFeed(results[i === 0 ? before.logits : after.logits]!)
			}
		}
		return {
			difference: relativeDifference(logits[0]!, logits[1]!),
			secondsPerImage: { before: median(times[0]), after: median(times[1]) },
		}
	} finally {
		for (const session of sessions) await session.close()
	}
}

function loadLogits({ runtime, graph, values, logits }: Model): Promise<Session> {
	return runtime.load(extract(graph, [values.get(logits)!]))
}

/** Images of noise as the model wants them, the same every time (the generator of Numerical Recipes). */
async function noise(model: Model, count: number): Promise<Record<string, Feed>> {
	const { height, width, channels } = model.input
	let state = 1
	const pixels = Uint8Array.from({ length: count * height * width * channels }, () => {
		state = (Math.imul(1664525, state) + 1013904223) >>> 0
		return state >>> 24
	})
	const shape = {
		path: 'noise',
		count,
		height,
		width,
		channels,
		layout: 'NCHW',
		labels: null,
		classNames: null,
	} as const
	const images = memoryImages({ ...shape, pixels })
	for await (const batch of images.batches(count)) {
		return feedOf(model, preprocess(batch, images, model.input, model.preprocessing), count)
	}
	throw new TypeError('a set of images has a batch')
}

function relativeDifference(a: Float32Array, b: Float32Array): number {
	const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE)
	return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest
}

function median(numbers: readonly number[]): number {
	return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
