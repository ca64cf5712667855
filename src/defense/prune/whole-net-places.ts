/**
 * Where methods that prune a whole net intervene: at each convolution, and at each batch normalization. Setting a normalization's scale
 * and shift to zero makes its channel exactly 0, which zeroing the filter in front of it would not: then the channel is the constant
 * that normalization makes of 0.
 */
import { normalizationBehind, traceProducer, traceProducers } from '../../graph/channels.ts'
import { type Node, nodeName } from '../../graph/graph.ts'
import { type Normalization, readNormalization } from '../../graph/normalization.ts'
import { constantOf, dependentsOf, readersOf } from '../../graph/query.ts'
import type { Model } from '../../model/model.ts'
import type { PruneLayer } from './layer.ts'
import { consumersOf, isPrunable, type Survey, surveyModel } from './places.ts'

/** Every convolution that the answer depends on, in the order of the net, silenced where CLP does: at the normalization behind it. */
export function convolutionPlaces(model: Model): PruneLayer[] {
	const survey = surveyModel(model)
	return model.graph.nodes.filter(isConvolution).flatMap((node) => {
		const behind = normalizationBehind(model.graph, node)
		const normalization = behind && readNormalization(model.graph, behind)
		const place = normalization ? normalizationPlace(survey, normalization) : convolutionPlace(survey, node)
		return isPrunable(survey, place.name) ? [place] : []
	})
}

/** Every batch normalization behind a convolution, at any distance. One that scales the input's colours is none. */
export function normalizationPlaces(model: Model): PruneLayer[] {
	const survey = surveyModel(model)
	const convolved = dependentsOf(
		model.graph,
		model.graph.nodes.filter(isConvolution).map(({ outputs }) => outputs[0]!),
	)
	return [...convolved].flatMap((node) => {
		const normalization = readNormalization(model.graph, node)
		return normalization && isPrunable(survey, normalization.output) ? [normalizationPlace(survey, normalization)] : []
	})
}

/**
 * `layer`, its channels silenced at `normalization` on the way to it; as it was where that is impossible, because others read the
 * normalization's constants, or its output, as well.
 */
export function silencedAt(model: Model, layer: PruneLayer, normalization: Normalization): PruneLayer {
	const { intervention, filters } = normalizationPlace(surveyModel(model), normalization)
	const isOwn = intervention === 'normalization' && isOnlyWay(model, normalization.output, layer.name)
	return isOwn ? { ...layer, intervention, filters } : layer
}

/** Does every value from `from` up to `to` have one reader? */
function isOnlyWay({ graph }: Model, from: string, to: string): boolean {
	const readers = readersOf(graph)
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	for (let name = from; name !== to; ) {
		const [next, second] = readers.get(name) ?? []
		if (!next || second || outputs.has(name)) return false
		name = next.outputs[0]!
	}
	return true
}

/** `normalization` as a layer whose channels are pruned by zeroing scale and shift; by a mask where others read those too. */
function normalizationPlace(survey: Survey, { output, constants }: Normalization): PruneLayer {
	const isOwn = Object.values(constants).every((name) => canZero(survey.model, name))
	return {
		...placeAt(survey, output),
		intervention: isOwn ? 'normalization' : 'mask',
		filters: isOwn ? Object.values(constants).map((name) => ({ name, axis: 0 })) : [],
	}
}

function convolutionPlace(survey: Survey, { outputs }: Node): PruneLayer {
	const { model } = survey
	const [output] = outputs as [string]
	const traced = traceProducer(model.graph, output, 1, (name) => model.values.get(name)?.shape?.length)
	return { ...placeAt(survey, output), intervention: traced ? 'weights' : 'mask', filters: traced?.filters ?? [] }
}

function placeAt(survey: Survey, name: string) {
	const { graph, values } = survey.model
	const shape = values.get(name)!.shape!
	const producers = traceProducers(graph, name, 1, (each) => values.get(each)?.shape ?? undefined) ?? []
	const [producer, second] = producers
	return {
		name,
		axis: 1,
		channels: Number(shape[1]),
		shape,
		producer: producer && !second ? nodeName(producer.node) : null,
		producers,
		consumers: consumersOf(survey, name),
		isPooling: false,
		isDense: false,
	}
}

/** Is this constant read once, and one that the model's own file has a place for? Keras stores no scale where a layer is to have none. */
function canZero({ graph, source }: Model, name: string): boolean {
	const reads = graph.nodes.flatMap(({ inputs }) => inputs).filter((input) => input === name)
	return reads.length === 1 && (source.format === 'onnx' || constantOf(graph, name)?.origin !== undefined)
}

function isConvolution({ op, domain }: Node): boolean {
	return domain === '' && (op === 'Conv' || op === 'ConvTranspose')
}
