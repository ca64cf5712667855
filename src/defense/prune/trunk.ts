/**
 * The net cut in two at the pruned layer, or as far behind it as its channels run side by side. Nothing before the cut changes while
 * channels are pruned, so the *trunk* runs once per image, and each pruning step only edits its output and runs the *head*.
 */
import type { ImageSet } from '../../data/image-set.ts'
import { UnsupportedError } from '../../errors.ts'
import { type DenseHead, readDenseHead } from '../../graph/dense-head.ts'
import { type Cut, cut } from '../../graph/edit.ts'
import type { Dim, Graph, Value } from '../../graph/graph.ts'
import { slideDown } from '../../graph/slide.ts'
import { blankFeed } from '../../model/feed.ts'
import type { Model } from '../../model/model.ts'
import { floatsOfFeed, type RunOptions, runImages } from '../../model/predict.ts'
import type { Feed, Session } from '../../runtime/runtime.ts'
import { isWorthSubtracting } from './dense-answers.ts'
import type { PruneLayer } from './layer.ts'
import { pruneChannels } from './repaired.ts'

/** What the trunk gives for some consecutive images: the pruned layer's output, the cut's, and whatever crosses beside it. */
export interface LayerBatch {
	readonly start: number
	readonly count: number
	readonly feeds: Readonly<Record<string, Feed>>
}

/** The value at which channels are edited. */
export interface EditPlace {
	readonly name: string
	readonly axis: number
	readonly channels: number
	readonly shape: readonly Dim[]
	/** One image of it when every channel is silenced: zeros, or constants that normalization makes of them. */
	readonly silenced: Float32Array
}

/** A net cut at a layer, its trunk ready to run. */
export interface CutModel {
	readonly model: Model
	readonly layer: PruneLayer
	readonly place: EditPlace
	/** From `place` and the crossing values to the logits. */
	readonly head: Graph
	/** The head as one dense layer, where it is one and small enough for subtraction to pay. */
	readonly dense: DenseHead | null
	/** Values beside the place that the head reads. */
	readonly crossing: readonly string[]
	/** May the head run on some images of a batch only? Not where it reads something of the whole batch, such as its size. */
	readonly isPerImage: boolean
	/** Runs the trunk over a set, from image `from` on. */
	layerBatches(images: ImageSet, options?: RunOptions & { readonly from?: number }): AsyncGenerator<LayerBatch>
	close(): Promise<void>
}

/**
 * @throws UnsupportedError `not-float32` for a layer of another type, `cannot-cut` where a graph with a fixed batch hands something
 *   beside the layer to the head that is not per image
 */
export async function cutModel(model: Model, layer: PruneLayer): Promise<CutModel> {
	checkType(model, layer)
	const name = placeOf(model, layer)
	const { trunk, head, crossing } = cutAt(model, model.graph, name)
	const { batch } = model.input
	const shared = crossing.find((each) => !isPerImage(model.values.get(each)!, batch))
	if (shared !== undefined && batch !== null) throw cannotCut(model, layer, shared)
	const place = await describePlace(model, layer, name)
	const outputs = name === layer.name ? trunk.outputs : [...trunk.outputs, model.values.get(layer.name)!]
	const session = await model.runtime.load({ ...trunk, outputs })
	return {
		model,
		layer,
		place,
		head,
		dense: shared === undefined ? denseHead(model, head, name) : null,
		crossing,
		isPerImage: shared === undefined,
		layerBatches: (images, options) => layerBatches(session, model, images, options),
		close: () => session.close(),
	}
}

function denseHead({ values }: Model, head: Graph, name: string): DenseHead | null {
	const dense = readDenseHead(head, name, (each) => values.get(each)!)
	return dense && isWorthSubtracting(dense) ? dense : null
}

function cutAt(model: Model, graph: Graph, name: string): Cut {
	const typeOf = (each: string): Value => model.values.get(each)!
	return cut(graph, name, typeOf(model.logits), typeOf)
}

/** Behind the layer where that means fewer numbers, if the value there is float32 as well. */
function placeOf({ graph, values }: Model, { name, axis }: PruneLayer): string {
	const place = slideDown(graph, name, axis)
	return values.get(place)?.dtype === 'float32' ? place : name
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

async function describePlace(model: Model, layer: PruneLayer, name: string): Promise<EditPlace> {
	const shape = model.values.get(name)!.shape!
	const { axis, channels } = layer
	return { name, axis, channels, shape, silenced: await silencedOutput(model, layer, name) }
}

/**
 * Exact constants, whatever stands between filter and place: the net itself says, with all channels pruned. No channel of these layers
 * depends on another, and none of them on the image any more.
 */
async function silencedOutput(model: Model, layer: PruneLayer, name: string): Promise<Float32Array> {
	const { shape } = model.values.get(name)!
	const size = shape!.slice(1).reduce<number>((a, b) => a * Number(b), 1)
	if (layer.intervention === 'mask' && name === layer.name) return new Float32Array(size)
	const pruned = pruneChannels(model, layer, [...Array(layer.channels).keys()])
	const { trunk } = cutAt(model, pruned.graph, name)
	const session = await model.runtime.load(trunk)
	try {
		const results = await session.run({ [model.input.name]: blankFeed(model.input, model.input.batch ?? 1) })
		return floatsOfFeed(results[name]!).slice(0, size)
	} finally {
		await session.close()
	}
}

async function* layerBatches(
	session: Session,
	model: Model,
	images: ImageSet,
	{ signal, onProgress, from = 0 }: RunOptions & { readonly from?: number } = {},
): AsyncGenerator<LayerBatch> {
	for await (const { start, count, results } of runImages(session, model, images, { signal, from })) {
		yield { start, count, feeds: results }
		onProgress?.(start + count, images.count)
	}
}
