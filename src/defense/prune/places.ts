/** Where a net can be pruned: the values that are worth listing, among all that have channels. */
import { type Consumer, traceConsumers } from '../../graph/consumers.ts'
import type { Node } from '../../graph/graph.ts'
import { attributeInts, nodeName } from '../../graph/graph.ts'
import { constantOf, dependentsOf, readersOf, requiredFor, writersOf } from '../../graph/query.ts'
import { POOLS } from '../../graph/roles/carry.ts'
import { type ChannelRoles, channelRoles, type Role } from '../../graph/roles/roles.ts'
import type { Model } from '../../model/model.ts'

/** A model and the answers to what one asks of its graph again and again. */
export interface Survey {
	readonly model: Model
	readonly channels: ChannelRoles
	readonly writers: ReadonlyMap<string, Node>
	readonly readers: ReadonlyMap<string, readonly Node[]>
	/** Values that the logits are computed from, the logits themselves not among them. */
	readonly beforeLogits: ReadonlySet<string>
}

export function surveyModel(model: Model): Survey {
	const { graph, logits, values } = model
	const names = [...requiredFor(graph, [logits])].flatMap((node) => node.outputs)
	return {
		model,
		channels: channelRoles(graph, values),
		writers: writersOf(graph),
		readers: readersOf(graph),
		beforeLogits: new Set(names.filter((name) => name !== logits)),
	}
}

/** What may stand between a layer and the end of its block: a separate bias, normalization, activation. */
const BLOCK = new Set(
	'Add BatchNormalization Relu LeakyRelu PRelu Elu Selu Celu Sigmoid Tanh Clip Min HardSigmoid HardSwish Gelu Softplus Identity Dropout'.split(
		' ',
	),
)
const DENSE = new Set(['Gemm', 'MatMul'])
const CONVOLUTIONS = new Set(['Conv', 'ConvTranspose'])

/**
 * Names of the places to prune, in the order of the net: outputs of pooling layers, and the ends (behind normalization and activation) of
 * convolutions, of hidden dense layers, of sums and concatenations of branches, and of normalization that stands before its convolution.
 */
export function placesOf(survey: Survey): string[] {
	const ends = survey.model.graph.nodes.flatMap((node) => {
		const role = survey.channels.roles.get(node)!
		if (isPooling(survey, node)) return isSqueeze(survey, node) ? [] : [node.outputs[0]!]
		return startsBlock(node, role) ? [blockEnd(survey, node.outputs[0]!)] : []
	})
	const order = new Map(survey.model.graph.nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)))
	const names = [...new Set(ends)].sort((a, b) => order.get(a)! - order.get(b)!)
	return names.filter((name) => isPrunable(survey, name) && isWorthListing(survey, name))
}

/** Is the answer computed from this value, with weights in between? Channels that no later weights read are the classes themselves. */
export function isPrunable(survey: Survey, name: string): boolean {
	return survey.beforeLogits.has(name) && isReadByWeights(survey, name)
}

/** Pooling over positions, global or not; exporters also write the global mean as a reduction. */
export function isPooling({ channels, model }: Survey, node: Node): boolean {
	if (node.domain === '' && POOLS.has(node.op)) return true
	const isReduction =
		(node.op === 'ReduceMean' || node.op === 'ReduceMax') && channels.roles.get(node)?.kind === 'carry'
	return isReduction && model.values.get(node.inputs[0]!)?.shape?.length === 4
}

/** A global pooling beside the main path: what a squeeze-and-excite block computes its gate from. */
function isSqueeze({ model, readers }: Survey, node: Node): boolean {
	const [input = '', output = ''] = [node.inputs[0], node.outputs[0]]
	const isSmaller = (readers.get(input)?.length ?? 0) > 1
	return isSmaller && (model.values.get(output)?.shape ?? []).slice(2).every((dim) => dim === 1)
}

function startsBlock(node: Node, role: Role): boolean {
	switch (role.kind) {
		case 'weights':
		case 'join':
			return true
		case 'carry':
			return node.op === 'BatchNormalization' || (node.op === 'Add' && role.operands.length > 1)
		default:
			// Convolutions in ways that we cannot follow have channels all the same.
			return node.domain === '' && CONVOLUTIONS.has(node.op)
	}
}

/** Follows a layer through its separate bias, normalization and activation, as long as nobody else reads what is between. */
function blockEnd({ model, writers, readers }: Survey, output: string): string {
	let end = output
	for (;;) {
		const [next, second] = readers.get(end) ?? []
		if (!next || second || next.outputs[0] === model.output) return end
		const isAlone = next.inputs.every((name) => name === end || name === '' || constantOf(model.graph, name, writers))
		if (!isAlone || !BLOCK.has(next.op)) return end
		end = next.outputs[0]!
	}
}

function isReadByWeights({ model: { graph }, writers }: Survey, name: string): boolean {
	return [...dependentsOf(graph, [name])].some(
		({ op, inputs }) =>
			(CONVOLUTIONS.has(op) || DENSE.has(op)) && constantOf(graph, inputs[1] ?? '', writers) !== undefined,
	)
}

/** Not the gates of other channels, not the patches of a transformer, and of dense layers only those that a next one reads. */
function isWorthListing(survey: Survey, name: string): boolean {
	const consumers = consumersOf(survey, name)
	if (consumers.some(({ isGate }) => isGate)) return false
	if (patchLayerOf(survey, name, consumers)) return false
	return !isDenseValue(survey, name) || consumers.every(({ kind }) => kind === 'dense' || kind === 'normalization')
}

export function consumersOf({ model, channels }: Survey, name: string): Consumer[] {
	return traceConsumers(model.graph, channels, model.values, name)
}

/** Is this a value of dense layers, one vector an image or token, and not of maps? */
export function isDenseValue({ model, writers }: Survey, name: string): boolean {
	const rank = model.values.get(name)?.shape?.length ?? 0
	return rank < 4 && !POOLS.has(writers.get(name)?.op ?? '')
}

/**
 * The convolution that cuts the image into the patches of a vision transformer: its windows do not overlap, and its channels are those
 * of the residual stream that runs through the whole net and is normalized as one. No channel of it can be pruned by itself.
 */
export function patchLayerOf(survey: Survey, name: string, consumers = consumersOf(survey, name)): string | null {
	const node = survey.writers.get(name)
	if (node?.op !== 'Conv' || node.inputs[0] !== survey.model.input.name) return null
	const [kernel, strides] = [attributeInts(node, 'kernel_shape'), attributeInts(node, 'strides')]
	const isPatches = kernel !== undefined && kernel[0]! > 1 && String(kernel) === String(strides)
	return isPatches && consumers.some(({ kind }) => kind === 'other') ? nodeName(node) : null
}
