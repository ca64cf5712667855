/** Where to prune: the places of a net whose channels can be silenced, and the one to take when nobody says. */
import { InputError, UnsupportedError } from '../../errors.ts'
import { type Producer, traceProducer, traceProducers } from '../../graph/channels.ts'
import type { ChannelAxis } from '../../graph/edit.ts'
import type { Dim, Node } from '../../graph/graph.ts'
import { constantOf, dependentsOf, readersOf, requiredFor, writersOf } from '../../graph/query.ts'
import { type Model, showShape } from '../../model/model.ts'

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
	/** `weights`: a channel is pruned by zeroing kernel and bias. `mask`: by a mask node, where that would not silence it. */
	readonly intervention: 'weights' | 'mask'
	/** The constants to zero; empty for `mask`. */
	readonly filters: readonly ChannelAxis[]
	/**
	 * Every layer whose filters make channels here, in the order of the net: the one named above, or the tied ones of a residual sum, or
	 * the parts of a concatenation. Empty where something else makes them.
	 */
	readonly producers: readonly Producer[]
	/** Is this the output of a pooling layer? The default layer is the last such. */
	readonly isPooling: boolean
}

const POOLING = new Set(['MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool'])
const WEIGHTED = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul'])
/** What may stand between a convolution and the end of its block. */
const BLOCK = new Set(
	'BatchNormalization Relu LeakyRelu PRelu Elu Selu Celu Sigmoid Tanh Clip HardSigmoid HardSwish Gelu Softplus Identity Dropout'.split(
		' ',
	),
)

/** All places `inspect` offers, in the order of the net: pooling outputs and the ends of convolution blocks that classify from there. */
export function prunableLayers(model: Model): PruneLayer[] {
	const { graph } = model
	const isConvolution = ({ op, domain }: Node) => domain === '' && (op === 'Conv' || op === 'ConvTranspose')
	const ends = graph.nodes.flatMap((node) => {
		if (node.domain === '' && POOLING.has(node.op)) return [node.outputs[0]!]
		return isConvolution(node) ? [blockEnd(model, node.outputs[0]!)] : []
	})
	const order = new Map(graph.nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)))
	const names = [...new Set(ends)].sort((a, b) => order.get(a)! - order.get(b)!)
	const before = valuesBeforeLogits(model)
	return names
		.filter((name) => before.has(name) && isReadByWeights(model, name))
		.map((name) => describeLayer(model, name))
}

/** The last pooling layer, or where there is none the last convolution block's output; undefined for an empty list. */
export function defaultLayer(layers: readonly PruneLayer[]): PruneLayer | undefined {
	return layers.findLast(({ isPooling }) => isPooling) ?? layers.at(-1)
}

/**
 * The layer called `name`, or the default: the last pooling layer, or where there is none the last convolution block's output.
 *
 * @throws InputError `unknown-layer` for a name that the net does not have, `no-channels` for a value without a channel axis,
 *   `already-goodnet`
 * @throws UnsupportedError `nothing-to-prune` where the net has no convolution
 */
export function chooseLayer(model: Model, name?: string): PruneLayer {
	const { path } = model.source
	if (model.kind === 'goodnet') {
		throw new InputError('already-goodnet', `${path} is a GoodNet already; prune the net that it was made of`, { path })
	}
	if (name !== undefined) return checkBefore(model, describeLayer(model, resolveName(model, name)))
	const layer = defaultLayer(prunableLayers(model))
	if (layer) return layer
	const message = `${path}: no convolution to prune here (expected Conv followed by weights); name a dense layer with --layer`
	throw new UnsupportedError('nothing-to-prune', message, { path })
}

/** Values that the logits are computed from, the logits themselves not among them. */
function valuesBeforeLogits({ graph, logits }: Model): ReadonlySet<string> {
	const names = [...requiredFor(graph, [logits])].flatMap((node) => node.outputs)
	return new Set(names.filter((name) => name !== logits))
}

function checkBefore(model: Model, layer: PruneLayer): PruneLayer {
	if (valuesBeforeLogits(model).has(layer.name)) return layer
	const { path } = model.source
	const message = `${path}: ${layer.name} is not among what the answer is computed from (it is the answer, or another branch); see goodnet inspect`
	throw new InputError('not-before-answer', message, { path, layer: layer.name })
}

function describeLayer(model: Model, name: string): PruneLayer {
	const shape = model.values.get(name)?.shape ?? null
	const axes = shape?.length === 2 ? [1] : [1, (shape?.length ?? 0) - 1]
	const writer = writersOf(model.graph).get(name)
	if (shape === null || shape.length < 2 || !writer) {
		const message = `${model.source.path}: ${name} has shape ${showShape(shape)}; expected a computed value [N, C, …] with channels to prune`
		throw new InputError('no-channels', message, { path: model.source.path, layer: name })
	}
	const rankOf = (each: string) => model.values.get(each)?.shape?.length
	const traced = axes.map((axis) => ({ axis, producer: traceProducer(model.graph, name, axis, rankOf) }))
	const shapeOf = (each: string) => model.values.get(each)?.shape ?? undefined
	const { axis, producer } = traced.find((each) => each.producer) ?? traced[0]!
	return {
		name,
		axis,
		channels: Number(shape[axis]),
		shape,
		producer: producer ? nodeName(producer.node) : null,
		intervention: producer ? 'weights' : 'mask',
		filters: producer?.filters ?? [],
		producers: producer ? [producer] : (traceProducers(model.graph, name, axis, shapeOf) ?? []),
		isPooling: POOLING.has(writer.op),
	}
}

/** Takes a value's name or a node's; Keras layers have both alike. */
function resolveName(model: Model, name: string): string {
	if (model.values.has(name)) return name
	const node = model.graph.nodes.find((each) => each.name === name)
	if (node?.outputs[0]) return node.outputs[0]
	const known = prunableLayers(model).map((layer) => layer.name)
	const message = `${model.source.path}: no layer is called ${name}; the prunable ones are ${known.join(', ') || 'none'}`
	throw new InputError('unknown-layer', message, { path: model.source.path, layer: name })
}

function blockEnd(model: Model, output: string): string {
	const readers = readersOf(model.graph)
	let end = output
	for (;;) {
		const [next, second] = readers.get(end) ?? []
		if (!next || second || !BLOCK.has(next.op) || next.outputs[0] === model.output) return end
		end = next.outputs[0]!
	}
}

/** Channels that no later weights read are the classes themselves, and pruning those is no defense. */
function isReadByWeights({ graph }: Model, name: string): boolean {
	const writers = writersOf(graph)
	return [...dependentsOf(graph, [name])].some(
		({ op, inputs }) => WEIGHTED.has(op) && constantOf(graph, inputs[1] ?? '', writers) !== undefined,
	)
}

function nodeName(node: Node): string {
	return node.name === '' ? node.outputs[0]! : node.name
}
