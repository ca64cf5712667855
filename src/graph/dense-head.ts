/** A head that is one dense layer: logits are a weighted sum of what it reads, and pruning takes summands away. */
import { attributeInt, elementCount, floatsOf, type Graph, type Node, type Tensor, type Value } from './graph.ts'
import { constantOf, readersOf } from './query.ts'

/** `logits[c] = bias[c] + Σ x[i] · weights[i · classes + c]`, over the numbers `x` of one image in memory order. */
export interface DenseHead {
	readonly classes: number
	readonly weights: Float32Array
	readonly bias: Float32Array
}

/** What leaves every number of an image where it is in memory. */
const RESHAPING = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Identity', 'Dropout'])

/**
 * Reads `head` as one dense layer from its input `name` to its output; null where it is anything else.
 *
 * @param typeOf type and shape of every value
 */
export function readDenseHead(head: Graph, name: string, typeOf: (name: string) => Value): DenseHead | null {
	const output = head.outputs[0]!.name
	const readers = readersOf(head)
	let dense: DenseHead | null = null
	for (let value = name; value !== output; ) {
		const [node, second] = readers.get(value) ?? []
		if (!node || second || node.domain !== '' || node.outputs.length !== 1) return null
		if (!isPerImage(typeOf(node.inputs[0]!), typeOf(node.outputs[0]!))) return null
		if (!RESHAPING.has(node.op)) {
			dense = dense ? withBias(head, dense, node) : layerOf(head, node, value)
			if (!dense) return null
		}
		value = node.outputs[0]!
	}
	return dense
}

function isPerImage(before: Value, after: Value): boolean {
	return before.shape?.[0] === after.shape?.[0] && after.dtype === 'float32'
}

function layerOf(head: Graph, node: Node, value: string): DenseHead | null {
	const [data, kernel = '', bias = ''] = node.inputs
	const weights = constantOf(head, kernel)
	if (data !== value || weights?.dtype !== 'float32' || weights.dims.length !== 2) return null
	if (node.op === 'MatMul')
		return { classes: weights.dims[1]!, weights: floatsOf(weights), bias: zeros(weights.dims[1]!) }
	if (
		node.op !== 'Gemm' ||
		attributeInt(node, 'transA', 0) !== 0 ||
		!isPlain(node, 'alpha') ||
		!isPlain(node, 'beta')
	) {
		return null
	}
	const isTransposed = attributeInt(node, 'transB', 0) !== 0
	const classes = weights.dims[isTransposed ? 0 : 1]!
	const added = bias === '' ? zeros(classes) : biasOf(constantOf(head, bias), classes)
	return added && { classes, weights: isTransposed ? transposed(weights) : floatsOf(weights), bias: added }
}

/** The bias that some exporters write as an addition of its own. */
function withBias(head: Graph, dense: DenseHead, node: Node): DenseHead | null {
	// Two biases would be added in float32 here, and in another order there.
	if (dense.bias.some((value) => value !== 0)) return null
	const constant = node.inputs.map((name) => constantOf(head, name)).find((each) => each !== undefined)
	const added = node.op === 'Add' ? biasOf(constant, dense.classes) : null
	return added && { ...dense, bias: added }
}

function biasOf(tensor: Tensor | undefined, classes: number): Float32Array | null {
	const isVector =
		tensor?.dtype === 'float32' && tensor.dims.at(-1) === classes && elementCount(tensor.dims) === classes
	return isVector ? floatsOf(tensor) : null
}

function zeros(count: number): Float32Array {
	return new Float32Array(count)
}

function isPlain(node: Node, name: string): boolean {
	const attribute = node.attributes[name]
	return attribute === undefined || (attribute.type === 'float' && attribute.value === 1)
}

function transposed(tensor: Tensor): Float32Array {
	const [rows, columns] = tensor.dims as [number, number]
	const values = floatsOf(tensor)
	return Float32Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}
