/** Layers that treat every channel by itself: activations, arithmetic, normalization, pooling, padding. */
import { attributeInt, attributeInts, type Dim, floatsOf, intsOf, type Node } from '../graph.ts'
import type { CarryRole, NodeChannels, Place, RoleContext } from './roles.ts'

/** Element by element; operands of different shape are broadcast as numpy does. */
export const ELEMENTWISE: ReadonlySet<string> = new Set(
	`Relu LeakyRelu PRelu Elu Selu Celu Sigmoid Tanh Clip HardSigmoid HardSwish Softplus Softsign Gelu Erf Exp Mish ThresholdedRelu
	Identity Dropout Cast Abs Neg Sqrt Pow Add Sub Mul Div Min Max`.split(/\s+/),
)
/** Each map by itself; channels on axis 1. */
export const POOLS: ReadonlySet<string> = new Set([
	'MaxPool',
	'AveragePool',
	'LpPool',
	'GlobalAveragePool',
	'GlobalMaxPool',
])
const REDUCTIONS = new Set(['ReduceMean', 'ReduceMax', 'ReduceSum', 'ReduceMin'])

/** Does the operator combine its operands element by element, those that are constants too? */
export function isElementwise({ op }: Node): boolean {
	return ELEMENTWISE.has(op)
}

export function carryRole(node: Node, context: RoleContext): NodeChannels | null {
	if (isElementwise(node)) return elementwiseRole(node, context)
	const span = context.spans.get(node.inputs[0] ?? '')
	if (!span) return null
	const { axis } = span
	if (POOLS.has(node.op)) return axis === 1 ? alone(axis) : null
	if (node.op === 'BatchNormalization') return axis === 1 ? normalizationRole(node, context) : null
	if (REDUCTIONS.has(node.op)) return reductionRole(node, axis, context)
	if (node.op === 'Pad') return padsOf(node, context, axis) ? alone(axis) : null
	if (node.op === 'Concat') return alongOtherAxis(node, axis, context)
	return isScaling(node, axis, context) ? alone(axis) : null
}

/** One computed operand, the first. */
function alone(axis: number, outAxis = axis): NodeChannels {
	return { axis: outAxis, role: { kind: 'carry', operands: [{ index: 0, axis }], constants: [], shared: [] } }
}

function elementwiseRole(node: Node, context: RoleContext): NodeChannels | null {
	const out = context.dims(node.outputs[0]!)
	const axis = out && commonAxis(node, out, context)
	const length = axis === undefined ? undefined : out?.[axis]
	if (!out || axis === undefined || length === undefined) return null
	const operands: Place[] = []
	const constants: Place[] = []
	const shared: number[] = []
	for (const [index, name] of node.inputs.entries()) {
		if (name === '') continue
		const dims = context.dims(name)
		if (!dims) return null
		const at = axis - (out.length - dims.length)
		const isConstant = context.constant(name) !== undefined
		if (at >= 0 && dims[at] === length) (isConstant ? constants : operands).push({ index, axis: at })
		else if (at >= 0 && dims[at] !== 1) return null
		else if (!isConstant) shared.push(index)
	}
	return { axis, role: { kind: 'carry', operands, constants, shared } }
}

/** The channel axis of the output: where the operands whose channels are known have theirs, which must be one place. */
function commonAxis(node: Node, out: readonly Dim[], { spans, dims }: RoleContext): number | undefined {
	const axes = node.inputs.flatMap((name) => {
		const span = spans.get(name)
		const axis = span && span.axis + out.length - dims(name)!.length
		return axis !== undefined && out[axis] === span?.length ? [axis] : []
	})
	return axes.every((axis) => axis === axes[0]) ? axes[0] : undefined
}

function normalizationRole(node: Node, { constant, spans }: RoleContext): NodeChannels | null {
	const length = spans.get(node.inputs[0]!)!.length
	const statistics = node.inputs.slice(1, 5)
	const isConstant = statistics.every((name) => {
		const tensor = constant(name)
		return tensor?.dtype === 'float32' && tensor.dims.length === 1 && tensor.dims[0] === length
	})
	if (!isConstant || statistics.length !== 4 || attributeInt(node, 'training_mode', 0) === 1) return null
	const constants = statistics.map((_, i): Place => ({ index: i + 1, axis: 0 }))
	return { axis: 1, role: { kind: 'carry', operands: [{ index: 0, axis: 1 }], constants, shared: [] } }
}

function reductionRole(node: Node, axis: number, { constant, dims }: RoleContext): NodeChannels | null {
	const rank = dims(node.inputs[0]!)?.length ?? 0
	const operand = constant(node.inputs[1] ?? '')
	const listed = attributeInts(node, 'axes') ?? (operand?.dtype === 'int64' ? intsOf(operand) : [])
	const axes = listed.map((each) => (each < 0 ? each + rank : each))
	if (axes.length === 0 || axes.includes(axis)) return null
	const isKept = attributeInt(node, 'keepdims', 1) === 1
	return alone(axis, isKept ? axis : axis - axes.filter((each) => each < axis).length)
}

/** The numbers of a Pad, where they are known and leave the channel axis alone. */
export function padsOf(node: Node, { constant }: Pick<RoleContext, 'constant'>, axis: number): number[] | null {
	const operand = constant(node.inputs[1] ?? '')
	const pads = attributeInts(node, 'pads') ?? (operand?.dtype === 'int64' ? intsOf(operand) : [])
	const isApart = pads.length > 0 && pads[axis] === 0 && pads[axis + pads.length / 2] === 0
	return isApart && !node.inputs[3] ? pads : null
}

/** Maps side by side: the same channels of each. */
function alongOtherAxis(node: Node, axis: number, { spans }: RoleContext): NodeChannels | null {
	if (!node.inputs.every((name) => spans.get(name)?.axis === axis)) return null
	const operands = node.inputs.map((_, index): Place => ({ index, axis }))
	const role: CarryRole = { kind: 'carry', operands, constants: [], shared: [] }
	return { axis, role }
}

/** Resize or Upsample by constant factors, 1 for the channels. A size in pixels would have to be rewritten with the channels. */
function isScaling(node: Node, axis: number, { constant }: RoleContext): boolean {
	if ((node.op !== 'Resize' && node.op !== 'Upsample') || node.inputs[3]) return false
	const scales = constant(node.inputs[node.op === 'Upsample' ? 1 : 2] ?? '')
	return scales?.dtype === 'float32' && floatsOf(scales)[axis] === 1
}
