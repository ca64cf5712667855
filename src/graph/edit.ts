/** Surgery on graphs. Each function returns a new graph that shares what it did not change; the one it was given stays as it was. */
import type { Graph, Node, Tensor, Value } from './graph.ts'
import { constantOf, dependentsOf, requiredFor } from './query.ts'
import { zeroSlices } from './slices.ts'

/** A constant and the axis along which channels are counted. */
export interface ChannelAxis {
	readonly name: string
	readonly axis: number
}

/**
 * The graph that computes `outputs` and nothing else, from `given` values instead of what stands before them.
 *
 * @param given values that become inputs, beside those original inputs that are still read
 */
export function extract(graph: Graph, outputs: readonly Value[], given: readonly Value[] = []): Graph {
	const givenNames = new Set(given.map(({ name }) => name))
	const required = requiredFor(
		graph,
		outputs.map(({ name }) => name),
		givenNames,
	)
	const nodes = graph.nodes.filter((node) => required.has(node))
	const read = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.map(({ name }) => name)])
	const isRead = ({ name }: Value) => read.has(name) && !givenNames.has(name)
	return {
		...graph,
		nodes,
		inputs: [...graph.inputs.filter(isRead), ...given],
		outputs,
		initializers: new Map([...graph.initializers].filter(([name]) => read.has(name) && !givenNames.has(name))),
		// Shapes that the exporter noted may be wrong for other batch sizes; whoever runs the piece infers its own.
		valueInfo: [],
		// Initializers that are no inputs need IR version 4; older files keep their own version, only the piece is newer.
		irVersion: Math.max(graph.irVersion, 4),
	}
}

/** A graph cut in two at a value: `trunk` computes it (and what crosses beside it), `head` goes on from there. */
export interface Cut {
	readonly trunk: Graph
	readonly head: Graph
	/** Values beside the cut one that the head needs (skip connections), all outputs of the trunk. */
	readonly crossing: readonly string[]
}

/**
 * Cuts `graph` at value `at`. Running the trunk, then the head on the trunk's outputs, gives `output` as the whole graph would.
 * What depends on no input (constants computed in the graph) is copied into both.
 *
 * @param typeOf type and shape of a value, as the head's inputs must state them
 */
export function cut(graph: Graph, at: string, output: Value, typeOf: (name: string) => Value): Cut {
	const after = dependentsOf(graph, [at])
	const headNodes = new Set([...requiredFor(graph, [output.name])].filter((node) => after.has(node)))
	const inputNames = graph.inputs.map(({ name }) => name)
	const variable = new Set([...inputNames, ...[...dependentsOf(graph, inputNames)].flatMap((node) => node.outputs)])
	const made = new Set([...after].flatMap((node) => node.outputs))
	const read = new Set([...headNodes].flatMap((node) => node.inputs))
	const crossing = [...read].filter((name) => variable.has(name) && name !== at && !made.has(name))
	return {
		trunk: extract(graph, [at, ...crossing].map(typeOf)),
		head: extract(graph, [output], [at, ...crossing].map(typeOf)),
		crossing,
	}
}

/** `graph` with the constants in `changed` replaced, whether initializers or `Constant` nodes. */
export function replaceConstants(graph: Graph, changed: ReadonlyMap<string, Tensor>): Graph {
	const replaceIn = (node: Node): Node => {
		const tensor = node.op === 'Constant' ? changed.get(node.outputs[0] ?? '') : undefined
		return tensor ? { ...node, attributes: { ...node.attributes, value: { type: 'tensor', value: tensor } } } : node
	}
	return {
		...graph,
		nodes: graph.nodes.map(replaceIn),
		initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, changed.get(name) ?? tensor])),
	}
}

/** `graph` with `channels` of each named constant set to +0. */
export function zeroChannels(graph: Graph, constants: readonly ChannelAxis[], channels: Iterable<number>): Graph {
	const list = [...channels]
	const changed = constants.map(({ name, axis }) => {
		const tensor = constantOf(graph, name)
		if (!tensor) throw new TypeError(`${name} is not a constant of the graph`)
		return [name, zeroSlices(tensor, axis, list)] as const
	})
	return replaceConstants(graph, new Map(changed))
}

/** `graph` with its values renamed, wherever they are written, read or listed. */
export function renameValues(graph: Graph, rename: (name: string) => string): Graph {
	const renameValue = (value: Value): Value => ({ ...value, name: rename(value.name) })
	return {
		...graph,
		nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
		inputs: graph.inputs.map(renameValue),
		outputs: graph.outputs.map(renameValue),
		initializers: new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor])),
		valueInfo: graph.valueInfo.map(renameValue),
	}
}
