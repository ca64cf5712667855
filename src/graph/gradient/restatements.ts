/** Operator by operator: what a node of an older opset is called in opset 17. Operators that are not here kept their spelling. */
import { UnsupportedError } from '../../errors.ts'
import {
	type Attribute,
	attributeInt,
	attributeString,
	type Dim,
	floatsOf,
	floatTensor,
	makeNode,
	type Node,
	nodeName,
	type Tensor,
} from '../graph.ts'

/** What a restatement may ask and write. */
export interface Restater {
	/** Of the graph as it came, 7 or newer. */
	readonly opset: number
	/** Adds a constant, named `wish` or close to it. */
	constant(wish: string, tensor: Tensor): string
	constantOf(name: string | undefined): Tensor | undefined
	/** The shape of a value as far as it is known. */
	shapeOf(name: string): readonly Dim[] | undefined
	/** A free name for a new value of the type of `like`; its shape is noted where it is given. */
	value(wish: string, like: string, shape: readonly Dim[] | undefined): string
	isRead(name: string): boolean
}

export interface Restatement {
	/** First opset that has the new spelling. */
	readonly before: number
	/** Nodes in place of `node`. @throws UnsupportedError `opset-too-old` */
	readonly restate: (node: Node, restater: Restater) => readonly Node[]
}

/** @throws UnsupportedError `opset-too-old`, always */
export function refuse(node: Node, { opset }: Pick<Restater, 'opset'>, why: string): never {
	throw new UnsupportedError(
		'opset-too-old',
		`${nodeName(node)} (${node.op}) of opset ${opset} ${why}, which cannot be restated in opset 17; export the model with opset 17 or newer`,
		{ layer: nodeName(node) },
	)
}

export const restatements: ReadonlyMap<string, Restatement> = new Map<string, Restatement>([
	['Squeeze', { before: 13, restate: (node, restater) => [withOperands(node, restater, ['axes'])] }],
	['Unsqueeze', { before: 13, restate: (node, restater) => [withOperands(node, restater, ['axes'])] }],
	['ReduceSum', { before: 13, restate: (node, restater) => [withOperands(node, restater, ['axes'])] }],
	['Split', { before: 13, restate: (node, restater) => [withOperands(node, restater, ['split'])] }],
	['Slice', { before: 10, restate: (node, restater) => [withOperands(node, restater, ['starts', 'ends', 'axes'])] }],
	['Clip', { before: 11, restate: (node, restater) => [withOperands(node, restater, ['min', 'max'])] }],
	['Pad', { before: 11, restate: (node, restater) => [withOperands(node, restater, ['pads', 'value'])] }],
	['TopK', { before: 10, restate: (node, restater) => [withOperands(node, restater, ['k'])] }],
	['Dropout', { before: 12, restate: dropout }],
	['Scatter', { before: 11, restate: (node) => [{ ...node, op: 'ScatterElements' }] }],
	['Softmax', { before: 13, restate: overTrailingAxes }],
	['LogSoftmax', { before: 13, restate: overTrailingAxes }],
	['Hardmax', { before: 13, restate: overTrailingAxes }],
	['Upsample', { before: 10, restate: resize }],
	['Resize', { before: 13, restate: resize }],
	['BatchNormalization', { before: 14, restate: batchNormalization }],
	[
		'RoiAlign',
		{ before: 16, restate: (node) => [withAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel')] },
	],
])

/** Attributes `names` become operands behind those that the node has; absent ones are left out. */
function withOperands(node: Node, restater: Restater, names: readonly string[]): Node {
	const operands = names.map((name) => {
		const tensor = tensorOf(node.attributes[name])
		return tensor ? restater.constant(`${nodeName(node)}/${name}`, tensor) : ''
	})
	while (operands.at(-1) === '') operands.pop()
	return { ...node, inputs: [...node.inputs, ...operands], attributes: without(node, names) }
}

function tensorOf(attribute: Attribute | undefined): Tensor | undefined {
	switch (attribute?.type) {
		case 'ints':
			return longTensor(attribute.value)
		case 'int':
			return longTensor([attribute.value])
		case 'float':
			return floatTensor([], [attribute.value])
		case 'floats':
			return floatTensor([attribute.value.length], attribute.value)
		default:
			return undefined
	}
}

/** Unlike `intTensor` it keeps INT64_MAX, "to the end". */
function longTensor(values: readonly bigint[]): Tensor {
	return { dtype: 'int64', dims: [values.length], bytes: new Uint8Array(BigInt64Array.from(values).buffer) }
}

function without(node: Node, names: readonly string[]): Node['attributes'] {
	return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)))
}

function withAttribute(node: Node, name: string, value: string): Node {
	return { ...node, attributes: { ...node.attributes, [name]: { type: 'string', value } } }
}

/** Before opset 13 a softmax went over all axes from `axis` (default 1) on; now over one. The two agree where `axis` is the last. */
function overTrailingAxes(node: Node, restater: Restater): readonly Node[] {
	const [x, y] = [node.inputs[0]!, node.outputs[0]!]
	const shape = restater.shapeOf(x)
	const axis = attributeInt(node, 'axis', 1)
	const last = { ...node, attributes: { ...node.attributes, axis: { type: 'int', value: -1n } as const } }
	if (axis === -1 || (shape && axis === shape.length - 1)) return [last]
	const flatShape = shape && [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]
	const [flat, result] = ['flat', 'result'].map((what) => restater.value(`${y}/${what}`, x, flatShape)) as [
		string,
		string,
	]
	const dims = restater.value(`${y}/shape`, '', shape && [shape.length])
	return [
		makeNode('Flatten', [x], [flat], { axis }),
		{ ...last, inputs: [flat], outputs: [result] },
		makeNode('Shape', [x], [dims]),
		// Two nodes must not have one name, and the softmax may be called after its output.
		{ ...makeNode('Reshape', [result, dims], [y]), name: `${y}/unflatten` },
	]
}

function sizeOf(dims: readonly Dim[]): Dim {
	return dims.every((dim) => typeof dim === 'number') ? dims.reduce((product, dim) => product * dim, 1) : null
}

/**
 * Upsample and Resize of opset 10 mapped output `i` to input `i / scale`; the nearest pixel lay below it when growing, above it when
 * shrinking (as ONNX Runtime has it: the standard did not say).
 */
function resize(node: Node, restater: Restater): readonly Node[] {
	if (restater.opset >= 11) {
		if (attributeString(node, 'coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn')
			refuse(node, restater, 'uses tf_half_pixel_for_nn')
		return [node]
	}
	const [x, operand] = node.inputs as [string, string?]
	const attribute = node.attributes.scales
	const factors = attribute?.type === 'floats' ? attribute.value : undefined
	const scales =
		operand ?? restater.constant(`${nodeName(node)}/scales`, floatTensor([factors?.length ?? 0], factors ?? []))
	const constant = restater.constantOf(operand)
	const known = factors ?? (constant && [...floatsOf(constant)])
	if (!known) refuse(node, restater, 'computes its scales')
	const [grows, shrinks] = [known.some((scale) => scale > 1), known.some((scale) => scale < 1)]
	if (grows && shrinks) refuse(node, restater, 'grows one axis and shrinks another')
	const restated = { ...node, op: 'Resize', inputs: [x, '', scales], attributes: without(node, ['scales']) }
	const nearest = withAttribute(restated, 'nearest_mode', shrinks ? 'ceil' : 'floor')
	return [withAttribute(nearest, 'coordinate_transformation_mode', 'asymmetric')]
}

/** Before opset 12 Dropout could not train. Its mask was of ones, and before opset 10 no truth value. */
function dropout(node: Node, restater: Restater): readonly Node[] {
	const [y, mask] = node.outputs as [string, string?]
	if (mask && restater.opset < 10 && restater.isRead(mask)) refuse(node, restater, 'hands on a mask of numbers')
	const operands = withOperands(node, restater, ['ratio'])
	return [restater.opset < 10 ? { ...operands, outputs: [y] } : operands]
}

/** Before opset 9 with `spatial`; before 14 training was told by the number of outputs, the last two being saved for the gradient. */
function batchNormalization(node: Node, restater: Restater): readonly Node[] {
	if (attributeInt(node, 'spatial', 1) !== 1) refuse(node, restater, 'has statistics for each pixel (spatial=0)')
	const attributes = without(node, ['spatial'])
	const outputs = node.outputs.filter((name) => name !== '')
	if (outputs.length === 1) return [{ ...node, outputs, attributes }]
	if (node.outputs.slice(3).some((name) => restater.isRead(name))) refuse(node, restater, 'hands on saved statistics')
	const training = { ...attributes, training_mode: { type: 'int', value: 1n } as const }
	return [{ ...node, outputs: node.outputs.slice(0, 3), attributes: training }]
}
