/** A layer to prune: its channels, the filters that make them, those who read them, and the one to take when nobody says. */
import type { Intervention } from '../../contracts/prune-run.ts'
import { InputError, UnsupportedError } from '../../errors.ts'
import { type Producer, traceProducer, traceProducers } from '../../graph/channels.ts'
import type { Consumer } from '../../graph/consumers.ts'
import type { ChannelAxis } from '../../graph/edit.ts'
import { type Dim, nodeName } from '../../graph/graph.ts'
import { isQuantized } from '../../graph/query.ts'
import { type Model, showShape } from '../../model/model.ts'
import { consumersOf, isDenseValue, isPooling, patchLayerOf, placesOf, type Survey, surveyModel } from './places.ts'

/** A value of the net whose channels can be pruned. */
export interface PruneLayer {
	/** Name of the value, and in Keras models of the layer. */
	readonly name: string
	/** The axis that counts channels. */
	readonly axis: number
	readonly channels: number
	/** `['N', …]`, or with the net's fixed batch. */
	readonly shape: readonly Dim[]
	/** Name of the convolution or dense layer whose filters make the channels; null where several do. */
	readonly producer: string | null
	/**
	 * `weights`: a channel is pruned by zeroing kernel and bias. `normalization`: by zeroing scale and shift of the batch normalization
	 * behind, as some rankings ask. `mask`: by a mask node, where neither would silence it.
	 */
	readonly intervention: Intervention
	/** The constants to zero; empty for `mask`. */
	readonly filters: readonly ChannelAxis[]
	/**
	 * Every layer whose filters make channels here, in the order of the net: the one named above, or the tied ones of a residual sum, or
	 * the parts of a concatenation. Empty where something else makes them.
	 */
	readonly producers: readonly Producer[]
	/** Who reads the channels, in the order of the net. */
	readonly consumers: readonly Consumer[]
	/** Is this the output of a pooling layer? The default layer is the last such. */
	readonly isPooling: boolean
	/** Are the channels units of a dense layer? Such a layer is never the default. */
	readonly isDense: boolean
}

/** All places `inspect` offers, in the order of the net; see `placesOf` for what they are. None in a quantised net. */
export function prunableLayers(model: Model): PruneLayer[] {
	if (isQuantized(model.graph)) return []
	const survey = surveyModel(model)
	return placesOf(survey).map((name) => describeLayer(survey, name))
}

/** The last pooling layer, or where there is none the last convolution block's output; undefined where there is no convolution. */
export function defaultLayer(layers: readonly PruneLayer[]): PruneLayer | undefined {
	return layers.findLast(({ isPooling }) => isPooling) ?? layers.findLast(({ isDense }) => !isDense)
}

/**
 * The layer called `name`, or the default: the last pooling layer, or where there is none the last convolution block's output.
 *
 * @throws InputError `unknown-layer` for a name that the net does not have, `no-channels` for a value without a channel axis,
 *   `not-before-answer`, `already-goodnet`
 * @throws UnsupportedError `nothing-to-prune` where the net has no convolution to prune, as a vision transformer; `quantized` for a net of integers
 */
export function chooseLayer(model: Model, name?: string): PruneLayer {
	const { path } = model.source
	checkPrunable(model)
	const survey = surveyModel(model)
	if (name !== undefined) return checkBefore(survey, describeLayer(survey, resolveName(survey, name)))
	const layers = prunableLayers(model)
	const layer = defaultLayer(layers)
	if (layer) return layer
	throw new UnsupportedError('nothing-to-prune', `${path}: ${nothingToPrune(model, layers)}`, { path })
}

/** @throws InputError `already-goodnet`; UnsupportedError `quantized` */
export function checkPrunable({ kind, graph, source: { path } }: Model): void {
	if (kind === 'goodnet') {
		throw new InputError('already-goodnet', `${path} is a GoodNet already; prune the net that it was made of`, { path })
	}
	if (!isQuantized(graph)) return
	const message = `${path} is quantised: its filters are integers behind QuantizeLinear and the like, and a cut would round differently; prune the float model, then quantise it again`
	throw new UnsupportedError('quantized', message, { path })
}

/** Why a net has no default layer, and what can be pruned instead. */
export function nothingToPrune(model: Model, layers: readonly PruneLayer[]): string {
	if (isQuantized(model.graph)) return 'none: the net is quantised; prune the float model, then quantise it again'
	const patches = patchLayer(model)
	const reason =
		patches === null
			? 'no convolution to prune here (expected Conv followed by weights)'
			: `no convolution to prune here: ${patches} cuts the image into patches, and its channels run through the whole net`
	const dense = layers.map((layer) => layer.name).join(', ')
	return dense === '' ? reason : `${reason}; its dense layers can be pruned with --layer: ${dense}`
}

function patchLayer(model: Model): string | null {
	const survey = surveyModel(model)
	const names = model.graph.nodes.map((node) => patchLayerOf(survey, node.outputs[0]!))
	return names.find((name) => name !== null) ?? null
}

function checkBefore({ model, beforeLogits }: Survey, layer: PruneLayer): PruneLayer {
	if (beforeLogits.has(layer.name)) return layer
	const { path } = model.source
	const message = `${path}: ${layer.name} is not among what the answer is computed from (it is the answer, or another branch); see goodnet inspect`
	throw new InputError('not-before-answer', message, { path, layer: layer.name })
}

function describeLayer(survey: Survey, name: string): PruneLayer {
	const { model, channels, writers } = survey
	const shape = model.values.get(name)?.shape ?? null
	const writer = writers.get(name)
	if (shape === null || shape.length < 2 || !writer) {
		const message = `${model.source.path}: ${name} has shape ${showShape(shape)}; expected a computed value [N, C, …] with channels to prune`
		throw new InputError('no-channels', message, { path: model.source.path, layer: name })
	}
	const shapeOf = (each: string) => model.values.get(each)?.shape ?? undefined
	const axes = shape.length === 2 ? [1] : [1, shape.length - 1]
	const traced = axes.map((axis) => {
		return { axis, producer: traceProducer(model.graph, name, axis, (each) => shapeOf(each)?.length) }
	})
	const known = channels.spans.get(name)?.axis ?? 1
	const { axis, producer } = traced.find((each) => each.producer) ?? { axis: known, producer: null }
	return {
		name,
		axis,
		channels: Number(shape[axis]),
		shape,
		producer: producer ? nodeName(producer.node) : null,
		intervention: producer ? 'weights' : 'mask',
		filters: producer?.filters ?? [],
		producers: producer ? [producer] : (traceProducers(model.graph, name, axis, shapeOf) ?? []),
		consumers: consumersOf(survey, name),
		isPooling: isPooling(survey, writer),
		isDense: isDenseValue(survey, name) && !isPooling(survey, writer),
	}
}

/** Takes a value's name or a node's; Keras layers have both alike. */
function resolveName({ model }: Survey, name: string): string {
	if (model.values.has(name)) return name
	const node = model.graph.nodes.find((each) => each.name === name)
	if (node?.outputs[0]) return node.outputs[0]
	const known = prunableLayers(model).map((layer) => layer.name)
	const message = `${model.source.path}: no layer is called ${name}; the prunable ones are ${known.join(', ') || 'none'}`
	throw new InputError('unknown-layer', message, { path: model.source.path, layer: name })
}
