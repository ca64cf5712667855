/**
 * How each node of a graph treats channels: mixes them by weights, carries each on by itself, puts them one behind another, spreads
 * each over several places of a vector, or reads them in a way that we do not understand and leave alone.
 */
import { attributeInt, attributeInts, type Dim, type Graph, type Node, type Tensor } from '../graph.ts'
import { constantOf, writersOf } from '../query.ts'
import { carryRole } from './carry.ts'
import { reshapeRole } from './reshape.ts'

/** The axis of a value that counts channels, and how many there are. */
export interface ChannelSpan {
	readonly axis: number
	readonly length: number
}

/** A convolution or dense layer with constant float32 weights. */
export interface WeightsRole {
	readonly kind: 'weights'
	/** The axis of the kernel that counts output channels, and the one that counts input channels (of one group). */
	readonly outAxis: number
	readonly inAxis: number
	readonly groups: number
	/** Input channels in all groups together. */
	readonly inputs: number
	readonly outputs: number
	/** Is a channel that is constant over the map as good as a bias? Not where padding puts zeros beside it. */
	readonly isUniform: boolean
}

/** Output channel `c` depends on channel `c` of every operand and on nothing else of them. */
export interface CarryRole {
	readonly kind: 'carry'
	/** Positions among the node's inputs of computed operands that have these channels, with the axis there. */
	readonly operands: readonly Place[]
	/** Of constants with one slice a channel. */
	readonly constants: readonly Place[]
	/** Of computed operands that are the same for every channel. */
	readonly shared: readonly number[]
}

export interface Place {
	readonly index: number
	readonly axis: number
}

/** A concatenation along the channels; `lengths` of the parts. */
export interface JoinRole {
	readonly kind: 'join'
	readonly lengths: readonly number[]
}

/** Place `i` along the output's axis holds something of input channel `⌊i / inner⌋ mod channels`. */
export interface ReshapeRole {
	readonly kind: 'reshape'
	readonly channels: number
	readonly inner: number
	/** The output's shape, the batch axis as 0 ("as it came"). */
	readonly target: readonly number[]
}

/** The axes are permuted. */
export interface TransposeRole {
	readonly kind: 'transpose'
}

/** Anything else: needs its inputs whole. */
export interface BarrierRole {
	readonly kind: 'barrier'
}

export type Role = WeightsRole | CarryRole | JoinRole | ReshapeRole | TransposeRole | BarrierRole

export interface ChannelRoles {
	readonly roles: ReadonlyMap<Node, Role>
	/** Values whose channels are known; those made by a barrier, and the graph's inputs, are not. */
	readonly spans: ReadonlyMap<string, ChannelSpan>
}

/** A role and the channel axis of the node's first output. */
export interface NodeChannels {
	readonly role: Role
	readonly axis: number
}

/** What the rules ask about a graph. */
export interface RoleContext {
	readonly spans: ReadonlyMap<string, ChannelSpan>
	constant(name: string): Tensor | undefined
	/** Axes of a constant or value. */
	dims(name: string): readonly Dim[] | undefined
}

/** Shapes of all computed values: `['N', …]`, or with the graph's fixed batch. */
export type Shapes = ReadonlyMap<string, { readonly shape: readonly Dim[] | null }>

const BARRIER: Role = { kind: 'barrier' }

export function channelRoles(graph: Graph, shapes: Shapes): ChannelRoles {
	const writers = writersOf(graph)
	const spans = new Map<string, ChannelSpan>()
	const roles = new Map<Node, Role>()
	const read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)])
	const constant = (name: string) => constantOf(graph, name, writers)
	const dims = (name: string) => constant(name)?.dims ?? shapes.get(name)?.shape ?? undefined
	for (const node of graph.nodes) {
		const isPlain = node.domain === '' && node.outputs.slice(1).every((name) => name === '' || !read.has(name))
		const found = isPlain ? channelsOf(node, { spans, constant, dims }) : null
		const length = found && dims(node.outputs[0]!)?.[found.axis]
		const isTracked = found !== null && typeof length === 'number' && length > 0
		roles.set(node, isTracked ? found.role : BARRIER)
		if (isTracked) spans.set(node.outputs[0]!, { axis: found.axis, length })
	}
	return { roles, spans }
}

function channelsOf(node: Node, context: RoleContext): NodeChannels | null {
	return (
		weightsRole(node, context) ??
		joinRole(node, context) ??
		transposeRole(node, context) ??
		reshapeRole(node, context) ??
		carryRole(node, context)
	)
}

function weightsRole(node: Node, context: RoleContext): NodeChannels | null {
	const kernel = context.constant(node.inputs[1] ?? '')
	const rank = context.dims(node.outputs[0]!)?.length
	if (kernel?.dtype !== 'float32' || rank === undefined) return null
	const form = kernelForm(node, kernel, rank)
	if (!form) return null
	const { axis, outAxis, inAxis, groups, isUniform } = form
	const [inputs, outputs] = [kernel.dims[inAxis]! * groups, kernel.dims[outAxis]!]
	const bias = node.inputs[2] ? context.constant(node.inputs[2]) : undefined
	const isBiasPerChannel =
		!node.inputs[2] || (bias?.dtype === 'float32' && bias.dims.at(-1) === outputs && isVector(bias))
	const span = context.spans.get(node.inputs[0]!)
	const isFitting = span === undefined || (span.axis === axis && span.length === inputs)
	if (!isBiasPerChannel || !isFitting) return null
	return { axis, role: { kind: 'weights', outAxis, inAxis, groups, inputs, outputs, isUniform } }
}

function isVector({ dims }: Tensor): boolean {
	return dims.slice(0, -1).every((dim) => dim === 1)
}

function kernelForm(node: Node, { dims }: Tensor, rank: number) {
	const groups = attributeInt(node, 'group', 1)
	switch (node.op) {
		case 'Conv':
			return { axis: 1, outAxis: 0, inAxis: 1, groups, isUniform: isUnpadded(node) }
		case 'ConvTranspose':
			// Overlaps make even a constant channel differ from place to place; with groups, channels lie on both axes of the kernel.
			return groups === 1 ? { axis: 1, outAxis: 1, inAxis: 0, groups, isUniform: false } : null
		case 'Gemm': {
			const isPlain = dims.length === 2 && !attributeInt(node, 'transA', 0) && isUnscaled(node)
			const [outAxis, inAxis] = attributeInt(node, 'transB', 0) ? [0, 1] : [1, 0]
			return isPlain ? { axis: 1, outAxis, inAxis, groups: 1, isUniform: true } : null
		}
		case 'MatMul':
			return dims.length === 2 ? { axis: rank - 1, outAxis: 1, inAxis: 0, groups: 1, isUniform: true } : null
		default:
			return null
	}
}

function isUnpadded({ attributes }: Node): boolean {
	const { pads, auto_pad: autoPad } = attributes
	const isGiven = autoPad?.type === 'string' && autoPad.value !== 'NOTSET' && autoPad.value !== 'VALID'
	return !isGiven && (pads?.type !== 'ints' || pads.value.every((pad) => pad === 0n))
}

function isUnscaled({ attributes }: Node): boolean {
	return [attributes.alpha, attributes.beta].every((each) => each?.type !== 'float' || each.value === 1)
}

function joinRole(node: Node, { spans, dims }: RoleContext): NodeChannels | null {
	if (node.op !== 'Concat') return null
	const tracked = node.inputs.map((name) => spans.get(name)).find((span) => span !== undefined)
	const rank = dims(node.outputs[0]!)?.length ?? 0
	const along = attributeInt(node, 'axis', 1)
	if (!tracked || (along < 0 ? along + rank : along) !== tracked.axis) return null
	const lengths = node.inputs.map((name) => dims(name)?.[tracked.axis])
	if (!lengths.every((length) => typeof length === 'number')) return null
	const isAgreed = node.inputs.every((name) => (spans.get(name)?.axis ?? tracked.axis) === tracked.axis)
	return isAgreed ? { axis: tracked.axis, role: { kind: 'join', lengths } } : null
}

function transposeRole(node: Node, { spans }: RoleContext): NodeChannels | null {
	const span = spans.get(node.inputs[0] ?? '')
	const axis = attributeInts(node, 'perm')?.indexOf(span?.axis ?? -1) ?? -1
	return node.op === 'Transpose' && axis >= 0 ? { axis, role: { kind: 'transpose' } } : null
}
