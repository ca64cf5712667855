/** Silencing channels by a multiplication with zeros and ones, where the weights themselves cannot be changed or should not be. */
import { floatTensor, type Graph, makeNode, type Node, type Tensor } from './graph.ts'
import { freshName, valueNames } from './query.ts'

/** The channels of a value that a mask sets to zero. */
export interface ChannelMask {
	/** Channels to silence, among 0..count−1. */
	readonly channels: Iterable<number>
	readonly count: number
	/** The axis of the value that counts channels. */
	readonly axis: number
	/** Number of axes of the value. */
	readonly rank: number
}

/** The constant and the node that compute `masked = value * mask`. */
export function maskNode(
	value: string,
	{ channels, count, axis, rank }: ChannelMask,
	names: { readonly mask: string; readonly masked: string },
): { readonly tensor: Tensor; readonly node: Node } {
	const factors = new Float32Array(count).fill(1)
	for (const channel of channels) factors[channel] = 0
	const dims = Array.from({ length: rank }, (_, i) => (i === axis ? count : 1))
	return {
		tensor: floatTensor(dims, factors),
		node: makeNode('Mul', [value, names.mask], [names.masked]),
	}
}

/** `graph` with the masked value read by everything that read `value`. The new names begin with the value's. */
export function maskValue(graph: Graph, value: string, mask: ChannelMask): Graph {
	if (graph.outputs.some(({ name }) => name === value)) {
		throw new TypeError(`${value} is an output of the graph: nothing after it could be masked`)
	}
	const taken = valueNames(graph)
	const names = {
		mask: freshName(taken, `${value}/goodnet_mask`),
		masked: freshName(taken, `${value}/goodnet_masked`),
	}
	const { tensor, node } = maskNode(value, mask, names)
	const nodes = graph.nodes.flatMap((each) => {
		const rewired = readInstead(each, value, names.masked)
		return each.outputs.includes(value) ? [rewired, node] : [rewired]
	})
	return { ...graph, nodes, initializers: new Map([...graph.initializers, [names.mask, tensor]]) }
}

function readInstead(node: Node, from: string, to: string): Node {
	if (!node.inputs.includes(from)) return node
	return { ...node, inputs: node.inputs.map((name) => (name === from ? to : name)) }
}
