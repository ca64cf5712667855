/** Batch normalizations of a graph that still are layers of their own, with the statistics they remember of training. */
import { attributeFloat, attributeInt, floatsOf, type Graph, type Node } from './graph.ts'
import { constantOf, readersOf, writersOf } from './query.ts'

/** `output = scale · (input − mean) / √(variance + epsilon) + shift`, channel by channel on axis 1. */
export interface Normalization {
	readonly node: Node
	/** Names of the values. */
	readonly input: string
	readonly output: string
	/** Names of the constants that scale and shift. */
	readonly constants: { readonly scale: string; readonly shift: string }
	/** `[C]` each. */
	readonly scale: Float32Array
	readonly mean: Float32Array
	readonly variance: Float32Array
	readonly epsilon: number
}

/** ONNX' own default. */
const DEFAULT_EPSILON = 1e-5

/** All batch normalizations in inference form with float32 constants, in graph order. */
export function normalizationsOf(graph: Graph): Normalization[] {
	const writers = writersOf(graph)
	return graph.nodes.flatMap((node) => readNormalization(graph, node, writers))
}

/**
 * The batch normalization that reads the output of `node` directly, or behind the bias that some exporters write as an Add of its own,
 * where nothing else reads it; null where there is none.
 */
export function normalizationBehind(graph: Graph, node: Node): Normalization | null {
	const writers = writersOf(graph)
	const readers = readersOf(graph)
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	for (let name = node.outputs[0]!; ; ) {
		const [next, second] = readers.get(name) ?? []
		if (!next || second || outputs.has(name)) return null
		const [normalization] = readNormalization(graph, next, writers)
		if (normalization) return normalization.input === name ? normalization : null
		const isBias = next.op === 'Add' && next.inputs.some((input) => constantOf(graph, input, writers))
		if (!isBias) return null
		name = next.outputs[0]!
	}
}

function readNormalization(graph: Graph, node: Node, writers: ReadonlyMap<string, Node>): Normalization[] {
	if (node.op !== 'BatchNormalization' || node.domain !== '' || attributeInt(node, 'training_mode', 0) !== 0) return []
	const [input, scale, shift] = node.inputs as [string, string, string]
	const constants = node.inputs.slice(1).map((name) => constantOf(graph, name, writers))
	const floats = constants.flatMap((tensor) => (tensor?.dtype === 'float32' ? [floatsOf(tensor)] : []))
	const [scales, , mean, variance] = floats
	if (floats.length !== 4 || !scales || !mean || !variance) return []
	return [
		{
			node,
			input,
			output: node.outputs[0]!,
			constants: { scale, shift },
			scale: scales,
			mean,
			variance,
			epsilon: attributeFloat(node, 'epsilon', DEFAULT_EPSILON),
		},
	]
}
