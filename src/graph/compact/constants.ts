/** Channels that are one number everywhere and on every image: what zeroed filters leave behind. */
import { floatsOf, type Graph, type Node, type Tensor } from '../graph.ts'
import { constantOf, writersOf } from '../query.ts'
import { isElementwise, padsOf } from '../roles/carry.ts'
import type { CarryRole, ChannelRoles, ReshapeRole, Role, WeightsRole } from '../roles/roles.ts'
import { scalarResult } from './scalar.ts'
import { forEachWeight } from './weights.ts'

/** Value name → one number a channel, NaN for a channel that is not constant. Values that hold no constant channel may be missing. */
export type ConstantChannels = ReadonlyMap<string, Float64Array>

export function constantChannels(graph: Graph, { roles, spans }: ChannelRoles): ConstantChannels {
	const writers = writersOf(graph)
	const context: Context = { spans, found: new Map(), constant: (name) => constantOf(graph, name, writers) }
	for (const node of graph.nodes) {
		const [role, name] = [roles.get(node)!, node.outputs[0]!]
		const length = spans.get(name)?.length
		if (length !== undefined) context.found.set(name, constantsOf(node, role, length, context))
	}
	return context.found
}

interface Context extends Pick<ChannelRoles, 'spans'> {
	readonly found: Map<string, Float64Array>
	constant(name: string): Tensor | undefined
}

function constantsOf(node: Node, role: Role, length: number, context: Context): Float64Array {
	switch (role.kind) {
		case 'weights':
			return ofWeights(node, role, context)
		case 'carry':
			return ofCarry(node, role, length, context)
		case 'join': {
			const parts = node.inputs.flatMap((name, i) => [...(context.found.get(name) ?? unknown(role.lengths[i]!))])
			return Float64Array.from(parts)
		}
		case 'reshape':
			return unknown(length).map((_, i) => context.found.get(node.inputs[0]!)?.[channelAt(role, i)] ?? Number.NaN)
		case 'transpose':
			return context.found.get(node.inputs[0]!) ?? unknown(length)
		case 'barrier':
			return unknown(length)
	}
}

/** The input channel that place `i` of a reshaped axis belongs to. */
export function channelAt({ inner, channels }: ReshapeRole, i: number): number {
	return Math.floor(i / inner) % channels
}

function unknown(length: number): Float64Array {
	return new Float64Array(length).fill(Number.NaN)
}

/** The bias, plus what constant inputs add to it; not constant where a weight meets an input that is not. */
function ofWeights(node: Node, role: WeightsRole, { found, constant }: Context): Float64Array {
	const bias = node.inputs[2] ? floatsOf(constant(node.inputs[2])!) : undefined
	const inputs = found.get(node.inputs[0]!)
	const sums = Float64Array.from({ length: role.outputs }, (_, output) => bias?.[output] ?? 0)
	forEachWeight(constant(node.inputs[1]!)!, role, (output, input, weight) => {
		if (weight === 0) return
		const value = inputs?.[input] ?? Number.NaN
		sums[output]! += isFoldable(role, value) ? value * weight : Number.NaN
	})
	return sums
}

/** Can an input channel of this constant value become part of the layer's bias? */
export function isFoldable({ isUniform }: WeightsRole, value: number): boolean {
	return value === 0 || (isUniform && !Number.isNaN(value))
}

function ofCarry(node: Node, role: CarryRole, length: number, context: Context): Float64Array {
	if (node.op === 'Pad') return ofPad(node, role, length, context)
	if (node.op === 'BatchNormalization') return ofNormalization(node, length, context)
	// Other layers' further inputs are settings: factors of a Resize, the ratio of a Dropout.
	const isArithmetic = (isElementwise(node) && node.op !== 'Dropout') || node.op === 'Concat'
	const constants = node.inputs.map((name) => (name === '' ? undefined : channelValues(name, role, node, context)))
	return Float64Array.from({ length }, (_, channel) => {
		const args = constants.map((values) => values && knownOr(values.length === 1 ? values[0] : values[channel]))
		return scalarResult(node, isArithmetic ? args : args.slice(0, 1))
	})
}

function knownOr(value: number | undefined): number | null {
	return value === undefined || Number.isNaN(value) ? null : value
}

/** An operand's numbers, one a channel or one for all; not known for one that differs from place to place. */
function channelValues(name: string, role: CarryRole, node: Node, context: Context): ArrayLike<number> {
	const tensor = context.constant(name)
	const index = node.inputs.indexOf(name)
	if (!tensor) return computedValues(name, role, index, context)
	if (tensor.dtype !== 'float32') return [Number.NaN]
	const values = floatsOf(tensor)
	const place = role.constants.find((each) => each.index === index)
	return values.length === 1 || (place && values.length === tensor.dims[place.axis]) ? values : [Number.NaN]
}

function computedValues(name: string, role: CarryRole, index: number, { spans, found }: Context): ArrayLike<number> {
	const place = role.operands.find((each) => each.index === index)
	const isAlong = place !== undefined && spans.get(name)?.axis === place.axis
	return (isAlong ? found.get(name) : undefined) ?? [Number.NaN]
}

/** `scale · (x − mean) / √(variance + ε) + shift` */
function ofNormalization(node: Node, length: number, { found, constant }: Context): Float64Array {
	const x = found.get(node.inputs[0]!) ?? unknown(length)
	const [scale, shift, mean, variance] = node.inputs.slice(1, 5).map((name) => floatsOf(constant(name)!)) as [
		Float32Array,
		Float32Array,
		Float32Array,
		Float32Array,
	]
	const epsilon = node.attributes.epsilon?.type === 'float' ? node.attributes.epsilon.value : 1e-5
	return x.map((value, c) => ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + shift[c]!)
}

/** A channel stays constant where it is padded with what it is, with its own edge, or (some exporters write this) not at all. */
function ofPad(node: Node, { operands }: CarryRole, length: number, context: Context): Float64Array {
	const x = context.found.get(node.inputs[0]!) ?? unknown(length)
	const { mode, value } = node.attributes
	const isFilled = mode?.type !== 'string' || mode.value === 'constant'
	const isPadded = padsOf(node, context, operands[0]!.axis)?.some((pad) => pad !== 0)
	if (!isFilled || !isPadded) return x
	const operand = node.inputs[2] ? context.constant(node.inputs[2]) : undefined
	if (node.inputs[2] && operand?.dtype !== 'float32') return unknown(length)
	const filling = operand ? floatsOf(operand)[0] : value?.type === 'float' ? value.value : 0
	return x.map((each) => (each === filling ? each : Number.NaN))
}
