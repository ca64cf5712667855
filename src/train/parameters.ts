/** Which constants of a graph are what training learned, and so may learn again. */
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { readersOf, writersOf } from '../graph/query.ts'

export interface Parameter {
	/** An initializer, float32. */
	readonly name: string
	readonly tensor: Tensor
	/** A kernel of a convolution or a matrix: what weight decay applies to. Else a bias, or scale and shift of a normalization. */
	readonly isKernel: boolean
}

/** Operator → which inputs are learned. The statistics of a BatchNormalization (3 and 4) are measured, not learned. */
const LEARNED: Readonly<Record<string, readonly number[]>> = {
	Conv: [1, 2],
	ConvTranspose: [1, 2],
	Gemm: [0, 1, 2],
	MatMul: [0, 1],
	BatchNormalization: [1, 2],
	InstanceNormalization: [1, 2],
	LayerNormalization: [1, 2],
	PRelu: [1],
}
/** Layers whose bias exporters write as an Add of its own. */
const BIASED = new Set(['Conv', 'ConvTranspose', 'MatMul'])
/** What exporters put between a stored kernel and the layer that reads it. */
const PASSING = new Set(['Transpose', 'Reshape', 'Identity', 'Squeeze', 'Unsqueeze'])

/** The parameters of `graph`, in the order in which its nodes read them. */
export function parametersOf(graph: Graph): readonly Parameter[] {
	const readers = readersOf(graph)
	const found = new Map<string, Parameter>()
	const visit = (name: string | undefined): void => {
		const tensor = name ? graph.initializers.get(name) : undefined
		if (!name || tensor?.dtype !== 'float32' || found.has(name)) return
		found.set(name, { name, tensor, isKernel: isKernel(name, readers) })
	}
	const sources = sourcesOf(graph)
	const writers = writersOf(graph)
	const isBiased = (name: string) => BIASED.has(writers.get(name)?.op ?? '')
	for (const node of graph.nodes) {
		for (const index of LEARNED[node.op] ?? []) visit(sources.get(node.inputs[index] ?? '') ?? node.inputs[index])
		if (node.op === 'Add' && node.inputs.some(isBiased)) for (const name of node.inputs) visit(name)
	}
	return [...found.values()]
}

/** Value → the initializer that it is a reshaped form of. */
function sourcesOf(graph: Graph): ReadonlyMap<string, string> {
	const sources = new Map<string, string>()
	for (const { op, inputs, outputs } of graph.nodes) {
		const from = sources.get(inputs[0] ?? '') ?? inputs[0]
		if (PASSING.has(op) && from && graph.initializers.has(from) && outputs[0]) sources.set(outputs[0], from)
	}
	return sources
}

function isKernel(name: string, readers: ReadonlyMap<string, readonly Node[]>): boolean {
	return (readers.get(name) ?? []).some(
		(node) =>
			PASSING.has(node.op) ||
			node.op === 'MatMul' ||
			(['Conv', 'ConvTranspose'].includes(node.op) && node.inputs[1] === name) ||
			(node.op === 'Gemm' && node.inputs[2] !== name),
	)
}
