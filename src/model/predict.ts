/** Plain classification: what a model answers on a set of images. */
import type { ImageSet } from '../data/image-set.ts'
import { preprocess } from '../data/preprocess.ts'
import { throwIfAborted } from '../errors.ts'
import { extract } from '../graph/edit.ts'
import type { Feed, Session } from '../runtime/runtime.ts'
import { runBatch } from './batches.ts'
import { pixelFeed } from './feed.ts'
import { GOODNET_OUTPUTS, type Model } from './model.ts'
import { mapAhead } from './pipeline.ts'

/** Images per run at most: with more, a progress bar hardly moves and Ctrl-C is heard late. */
const MAX_BATCH = 64
/** And at least, where memory allows: the weights of a large dense layer are fetched once a run. */
const MIN_BATCH = 8
/** What the widest layer of a batch should take, 4 MiB: more falls out of a core's cache, and the face net runs a fifth slower. */
const CACHED_LAYER_BYTES = 2 ** 22
/** What it may take: 64 MiB. VGG-19 gets 5 images a batch. */
const MAX_LAYER_BYTES = 2 ** 26

/** Images per run of `model`, by its widest layer. Counts do not depend on it. */
export function batchSizeFor({ values, input }: Model): number {
	const perImage = [...values.values()].map(({ shape }) =>
		(shape ?? [])
			.slice(1)
			.reduce<number>((product, dim) => product * (Number(dim) || 1), Float32Array.BYTES_PER_ELEMENT),
	)
	const widest = perImage.reduce((a, b) => Math.max(a, b), 1)
	const wished = Math.min(MAX_BATCH, Math.max(MIN_BATCH, Math.floor(CACHED_LAYER_BYTES / widest)))
	const size = Math.max(1, Math.min(wished, Math.floor(MAX_LAYER_BYTES / widest)))
	// A fixed batch is filled whole rather than padded.
	return input.batch === null ? size : Math.max(input.batch, size - (size % input.batch))
}

/** Reports how many images of a stage are done. Called after every batch. */
export type OnProgress = (done: number, total: number) => void

export interface RunOptions {
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: OnProgress | undefined
}

/** Answers on some consecutive images. */
export interface Prediction {
	/** Index of the first image. */
	readonly start: number
	/** One label an image; `model.classes` means that a GoodNet rejected it. */
	readonly labels: Int32Array
	/** The logits (of B, for a GoodNet), `[count, classes]` row-major. */
	readonly logits: Float32Array
}

/** The model's answers on `images`, batch by batch. */
export async function* predict(
	model: Model,
	images: ImageSet,
	{ signal, onProgress }: RunOptions = {},
): AsyncGenerator<Prediction> {
	const isGoodnet = model.kind === 'goodnet'
	const wanted = isGoodnet ? [model.logits, GOODNET_OUTPUTS.label] : [model.logits]
	const session = await loadFor(model, wanted)
	try {
		for await (const { start, count, results } of runImages(session, model, images, { signal })) {
			const logits = floatsOfFeed(results[model.logits]!)
			const answers = results[GOODNET_OUTPUTS.label]
			const labels = isGoodnet && answers ? Int32Array.from(answers.data, Number) : argmaxRows(logits, model.classes)
			yield { start, labels, logits }
			onProgress?.(start + count, images.count)
		}
	} finally {
		await session.close()
	}
}

/** What a session gave for some consecutive images. */
export interface ImageResults {
	/** Index of the first image. */
	readonly start: number
	readonly count: number
	readonly results: Readonly<Record<string, Feed>>
}

interface ImageRange {
	readonly signal?: AbortSignal | undefined
	readonly from?: number
	readonly size?: number
}

/**
 * Runs a session that takes the model's input over a set, batch by batch, as many at once as the runtime has lanes for; results come in
 * the order of the images.
 *
 * @param from image to begin with
 * @param size images a run at most; default: by the model's widest layer
 */
export async function* runImages(
	session: Session,
	model: Model,
	images: ImageSet,
	{ signal, from = 0, size = batchSizeFor(model) }: ImageRange = {},
): AsyncGenerator<ImageResults> {
	const { input, preprocessing, runtime } = model
	yield* mapAhead(images.batches(size, signal, from), runtime.lanes, async (batch) => {
		throwIfAborted(signal)
		// Before anything is awaited: the reader may reuse `batch.pixels` for the next batch.
		const { start, count } = batch
		const feed = feedOf(model, preprocess(batch, images, input, preprocessing), count)
		return { start, count, results: await runBatch(session, feed, count, input.batch, true) }
	})
}

/** All labels at once, `[N]`. */
export async function predictLabels(...parameters: Parameters<typeof predict>): Promise<Int32Array> {
	const labels = new Int32Array(parameters[1].count)
	for await (const prediction of predict(...parameters)) labels.set(prediction.labels, prediction.start)
	return labels
}

/** A session that computes `outputs` of the model and nothing that they do not need. */
async function loadFor(model: Model, outputs: readonly string[]): Promise<Session> {
	const values = outputs.map((name) => model.values.get(name)!)
	return model.runtime.load(extract(model.graph, values))
}

/** Preprocessed pixels as the model's input. */
export function feedOf({ input }: Model, pixels: Float32Array, count: number): Record<string, Feed> {
	return { [input.name]: pixelFeed(input, pixels, count) }
}

/** Results as float32; a float64 model's are narrowed. */
export function floatsOfFeed({ data }: Feed): Float32Array {
	return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>)
}

/** The largest entry's place in each row, the first of equals, as `numpy.argmax`. */
export function argmaxRows(values: Float32Array, columns: number): Int32Array {
	const labels = new Int32Array(values.length / columns)
	for (let row = 0; row < labels.length; row++) labels[row] = argmax(values, row * columns, columns)
	return labels
}

function argmax(values: Float32Array, offset: number, length: number): number {
	let best = 0
	for (let i = 1; i < length; i++) if (values[offset + i]! > values[offset + best]!) best = i
	return best
}
