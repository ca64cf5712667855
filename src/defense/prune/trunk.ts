/**
 * The net cut in two at the pruned layer. Nothing before the layer changes while channels are pruned, so the *trunk* runs once per
 * image, and each pruning step only edits its output and runs the *head*.
 */
import type { ImageSet } from '../../data/image-set.ts'
import { preprocess } from '../../data/preprocess.ts'
import { throwIfAborted, UnsupportedError } from '../../errors.ts'
import { cut, zeroChannels } from '../../graph/edit.ts'
import type { Value } from '../../graph/graph.ts'
import { runBatch } from '../../model/batches.ts'
import { blankFeed } from '../../model/describe.ts'
import type { Model } from '../../model/model.ts'
import { batchSizeFor, feedOf, floatsOfFeed, type RunOptions } from '../../model/predict.ts'
import type { Feed, Session } from '../../runtime/runtime.ts'
import type { PruneLayer } from './layer.ts'

/** What the head needs of some consecutive images: the pruned layer's output and whatever crosses beside it. */
export interface LayerBatch {
	readonly start: number
	readonly count: number
	readonly feeds: Readonly<Record<string, Feed>>
}

interface LayerOptions extends RunOptions {
	readonly from?: number
}

/** A net cut at a layer, ready to run. */
export interface CutModel {
	readonly model: Model
	readonly layer: PruneLayer
	/** The layer's output, one image, when every channel is silenced: zeros, or constants that normalization makes of them. */
	readonly silenced: Float32Array
	/** May the head run on some images of a batch only? Not where it reads something of the whole batch, such as its size. */
	readonly isPerImage: boolean
	/** Runs the trunk over a set, leaving out the batches before image `from`. */
	layerBatches(images: ImageSet, options?: LayerOptions): AsyncGenerator<LayerBatch>
	/** Logits `[count, classes]` from what the trunk gave. */
	runHead(feeds: Readonly<Record<string, Feed>>, count: number): Promise<Float32Array>
	close(): Promise<void>
}

/**
 * @throws UnsupportedError `not-float32` for a layer of another type, `cannot-cut` where a graph with a fixed batch hands something
 *   beside the layer to the head that is not per image
 */
export async function cutModel(model: Model, layer: PruneLayer): Promise<CutModel> {
	const typeOf = (name: string): Value => model.values.get(name)!
	const { trunk, head, crossing } = cut(model.graph, layer.name, typeOf(model.logits), typeOf)
	const { batch } = model.input
	checkType(model, layer)
	const shared = crossing.find((name) => !isPerImage(typeOf(name), batch))
	if (shared !== undefined && batch !== null) throw cannotCut(model, layer, shared)
	const silenced = await silencedOutput(model, layer)
	const trunkSession = await model.runtime.load(trunk)
	const headSession = await model.runtime.load(head).catch(async (error: unknown) => {
		await trunkSession.close()
		throw error
	})
	return {
		model,
		layer,
		silenced,
		isPerImage: shared === undefined,
		layerBatches: (images, options) => layerBatches(trunkSession, model, images, options),
		async runHead(feeds, count) {
			return floatsOfFeed((await runBatch(headSession, feeds, count, batch))[model.logits]!)
		},
		async close() {
			await trunkSession.close()
			await headSession.close()
		},
	}
}

function checkType({ values, source }: Model, { name }: PruneLayer): void {
	const dtype = values.get(name)?.dtype
	if (dtype === 'float32') return
	const message = `${source.path}: layer ${name} is ${dtype}; expected float32 to prune; save the model in float32, or name another layer`
	throw new UnsupportedError('not-float32', message, { path: source.path, layer: name })
}

function cannotCut({ source }: Model, { name }: PruneLayer, shared: string): UnsupportedError {
	const message = `${source.path}: the net cannot be cut at ${name}, since ${shared} (not one value an image) is read behind it; choose another with --layer`
	return new UnsupportedError('cannot-cut', message, { path: source.path, layer: name })
}

function isPerImage({ dtype, shape }: Value, batch: number | null): boolean {
	return (dtype === 'float32' || dtype === 'float64') && shape?.[0] === (batch ?? 'N')
}

/**
 * Exact constants, whatever stands between filter and layer: the net itself says, with all filters at zero. No channel of these
 * layers depends on another, and none of them on the image any more.
 */
async function silencedOutput(model: Model, layer: PruneLayer): Promise<Float32Array> {
	const size = layer.shape.slice(1).reduce<number>((a, b) => a * Number(b), 1)
	if (layer.intervention === 'mask') return new Float32Array(size)
	const everyChannel = Array(layer.channels).keys()
	const graph = zeroChannels(model.graph, layer.filters, everyChannel)
	const { trunk } = cut(graph, layer.name, model.values.get(model.logits)!, (name) => model.values.get(name)!)
	const session = await model.runtime.load(trunk)
	try {
		const results = await session.run({ [model.input.name]: blankFeed(model.input, model.input.batch ?? 1) })
		return floatsOfFeed(results[layer.name]!).slice(0, size)
	} finally {
		await session.close()
	}
}

async function* layerBatches(
	session: Session,
	model: Model,
	images: ImageSet,
	{ signal, onProgress, from = 0 }: LayerOptions = {},
): AsyncGenerator<LayerBatch> {
	for await (const batch of images.batches(batchSizeFor(model), signal)) {
		throwIfAborted(signal)
		if (batch.start < from) continue
		const feed = feedOf(model, preprocess(batch, images, model.input, model.preprocessing), batch.count)
		const feeds = await runBatch(session, feed, batch.count, model.input.batch)
		yield { start: batch.start, count: batch.count, feeds }
		onProgress?.(batch.start + batch.count, images.count)
	}
}
