/** Factors on the weights and biases of neurons, as values of the graph. */
import { Tape } from '../../../graph/gradient/tape.ts'
import { floatTensor, type Graph, type Node } from '../../../graph/graph.ts'
import { constantOf, writersOf } from '../../../graph/query.ts'
import type { PruneLayer } from '../../prune/layer.ts'

/** One place's factors, initializers `[channels]`, all 1. */
export interface Coefficients {
	/** On what a neuron multiplies its inputs with: its filter, its scale, or where neither is its own, its output. */
	readonly weight: string
	/** On what it adds: its bias or shift; null where it has none. */
	readonly bias: string | null
}

/** A graph that multiplies neurons with factors. */
export interface NeuronGraph {
	readonly graph: Graph
	/** In the order of the places. */
	readonly coefficients: readonly Coefficients[]
}

/**
 * `graph` with factors on every neuron of `places`: `(m ⊙ w, b′ ⊙ b)` in the words of Wu & Wang 2021, section 4.
 * @param graph of the net that the places are of, its constants and values under the same names
 */
export function withCoefficients(graph: Graph, places: readonly PruneLayer[]): NeuronGraph {
	const tape = new Tape(graph, 'neuron')
	const writers = writersOf(graph)
	/** Value → what is read instead. */
	const instead = new Map<string, string>()
	/** Value → the nodes that stand behind it. */
	const behind = new Map<string, readonly Node[]>()
	const multiply = (name: string, coefficient: string, axis: number, rank: number, channels: number) => {
		const start = tape.nodes.length
		const shape = Array.from({ length: rank }, (_, i) => (i === axis ? channels : 1))
		instead.set(name, tape.emit('Mul', [name, tape.reshape(coefficient, shape)]))
		behind.set(name, tape.nodes.slice(start))
	}
	const coefficients = places.map(({ name, axis, shape, channels, filters }): Coefficients => {
		const ones = () => tape.constant(floatTensor([channels], new Float32Array(channels).fill(1)))
		const weight = ones()
		const [kernel, shift] = filters
		const rankOf = (constant: string) => constantOf(graph, constant, writers)!.dims.length
		if (!kernel) {
			multiply(name, weight, axis, shape.length, channels)
			return { weight, bias: null }
		}
		multiply(kernel.name, weight, kernel.axis, rankOf(kernel.name), channels)
		if (!shift) return { weight, bias: null }
		const bias = ones()
		multiply(shift.name, bias, shift.axis, rankOf(shift.name), channels)
		return { weight, bias }
	})
	const rewired = (node: Node): Node => ({ ...node, inputs: node.inputs.map((name) => instead.get(name) ?? name) })
	const nodes = graph.nodes.flatMap((node) => [
		rewired(node),
		...node.outputs.flatMap((name) => behind.get(name) ?? []),
	])
	const computed = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
	const first = [...behind].flatMap(([name, own]) => (computed.has(name) ? [] : own))
	return {
		graph: {
			...graph,
			nodes: [...first, ...nodes],
			initializers: new Map([...graph.initializers, ...tape.initializers]),
		},
		coefficients,
	}
}
