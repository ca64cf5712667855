/**
 * Leaving out what is zero. A head that reads a pruned value multiplies many zeros by weights; the same head with those channels taken out
 * of the value, and their slices out of the weights, gives the same answers for less work.
 */
import { replaceConstants } from './edit.ts'
import { attributeInt, attributeInts, type Graph, makeNode, type Node, type Tensor, type Value } from './graph.ts'
import { constantOf, readersOf, writersOf } from './query.ts'
import { keepSlices } from './slices.ts'

/** Operators that make zero of zero in every channel by itself, whatever their attributes. */
const ZERO_KEEPING = new Set(['Relu', 'LeakyRelu', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool'])

/** Which entries along `axis` of a value are still there. */
interface Kept {
	readonly axis: number
	readonly entries: readonly number[]
}

/**
 * `head` with only `channels` of its input `name` left; the other channels must hold zeros whenever the head is run.
 *
 * @param axis the input's axis that counts channels
 * @param channels channel numbers to keep, ascending, at least one
 * @param typeOf type and full shape of every value
 * @returns null where something reads the value that cannot be narrowed; the given graph stays as it was
 */
export function narrowInput(
	head: Graph,
	name: string,
	axis: number,
	channels: readonly number[],
	typeOf: (name: string) => Value,
): Graph | null {
	const kept = new Map<string, Kept>([[name, { axis, entries: channels }]])
	const constants = new Map<string, Tensor>()
	const writers = writersOf(head)
	const readers = readersOf(head)
	const nodes: Node[] = []
	for (const node of head.nodes) {
		const data = kept.get(node.inputs[0] ?? '')
		if (!data || node.domain !== '' || node.inputs.slice(1).some((each) => kept.has(each))) {
			if (node.inputs.some((each) => kept.has(each))) return null
			nodes.push(node)
			continue
		}
		const weights =
			readers.get(node.inputs[1] ?? '')?.length === 1 ? constantOf(head, node.inputs[1]!, writers) : undefined
		const read = readingAxis(node, data, typeOf(node.inputs[0]!).shape?.length)
		const passed = read === null ? passOn(node, data, typeOf) : null
		if (weights && read !== null) constants.set(node.inputs[1]!, keepSlices(weights, read, data.entries))
		else if (passed) kept.set(node.outputs[0]!, passed)
		else return null
		nodes.push(passed && node.op === 'Reshape' ? flattening(node) : node)
	}
	if (head.outputs.some((output) => kept.has(output.name))) return null
	const inputs = head.inputs.map((input) => (input.name === name ? withDim(input, axis, channels.length) : input))
	return replaceConstants({ ...head, nodes, inputs }, constants)
}

/** The axis of the weights that is multiplied with the narrowed axis of the data; null where the node is no such product. */
function readingAxis(node: Node, { axis }: Kept, rank: number | undefined): number | null {
	switch (node.op) {
		case 'Conv':
			return axis === 1 && attributeInt(node, 'group', 1) === 1 ? 1 : null
		case 'Gemm':
			return axis === 1 && attributeInt(node, 'transA', 0) === 0 ? attributeInt(node, 'transB', 0) : null
		case 'MatMul':
			return axis === 1 && rank === 2 ? 0 : null
		default:
			return null
	}
}

/** What is kept of the node's output; null where it does not treat the entries one by one. */
function passOn(node: Node, { axis, entries }: Kept, typeOf: (name: string) => Value): Kept | null {
	const input = typeOf(node.inputs[0]!).shape ?? []
	const output = typeOf(node.outputs[0]!).shape ?? []
	if (node.op === 'Identity' || node.op === 'Dropout' || (ZERO_KEEPING.has(node.op) && axis === 1)) {
		return node.outputs.length === 1 ? { axis, entries } : null
	}
	if (node.op === 'Transpose') {
		const to = (attributeInts(node, 'perm') ?? []).indexOf(axis)
		return to > 0 ? { axis: to, entries } : null
	}
	const isFlatten = (node.op === 'Flatten' && attributeInt(node, 'axis', 1) === 1) || node.op === 'Reshape'
	if (!isFlatten || output.length !== 2 || output[0] !== input[0]) return null
	const sizes = input.slice(1).map(Number)
	const inner = sizes.slice(axis).reduce((a, b) => a * b, 1)
	const keep = new Set(entries)
	const size = sizes[axis - 1]!
	const places = [...Array(sizes.reduce((a, b) => a * b, 1)).keys()]
	return { axis: 1, entries: places.filter((place) => keep.has(Math.floor(place / inner) % size)) }
}

/** A reshape to `[N, rest]` names the full size of the rest; this one takes what is there. */
function flattening({ inputs, outputs }: Node): Node {
	return makeNode('Flatten', [inputs[0]!], outputs, { axis: 1 })
}

function withDim(value: Value, axis: number, size: number): Value {
	return { ...value, shape: value.shape?.map((dim, i) => (i === axis ? size : dim)) ?? null }
}
