/** Batch normalizations of a graph that still are layers of their own, with the statistics they remember of training. */
import { attributeFloat, attributeInt, floatsOf, type Graph, type Node } from './graph.ts'
import { constantOf } from './query.ts'

/** `output = scale · (input − mean) / √(variance + epsilon) + shift`, channel by channel on axis 1. */
export interface Normalization {
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

/** `node` as a batch normalization in inference form with float32 constants; null where it is none. */
export function readNormalization(graph: Graph, node: Node): Normalization | null {
	if (node.op !== 'BatchNormalization' || node.domain !== '' || attributeInt(node, 'training_mode', 0) !== 0)
		return null
	const [input, scale, shift] = node.inputs as [string, string, string]
	const floats = node.inputs.slice(1).flatMap((name) => {
		const tensor = constantOf(graph, name)
		return tensor?.dtype === 'float32' ? [floatsOf(tensor)] : []
	})
	const [scales, , mean, variance] = floats
	if (floats.length !== 4 || !scales || !mean || !variance) return null
	const epsilon = attributeFloat(node, 'epsilon', DEFAULT_EPSILON)
	return { input, output: node.outputs[0]!, constants: { scale, shift }, scale: scales, mean, variance, epsilon }
}
