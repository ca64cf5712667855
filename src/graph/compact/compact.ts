/**
 * Physical removal: the same net without the channels that its answer does not need. Zeroed filters, masks and all that hangs on them
 * (normalization, slopes, kernels of the layers behind, columns of dense layers) go; what a constant channel added goes into a bias.
 */
import { type Graph, intTensor, type Node } from '../graph.ts'
import { constantOf, freshName, requiredFor, valueNames, writersOf } from '../query.ts'
import { type ChannelRoles, channelRoles, type Shapes } from '../roles/roles.ts'
import { type ConstantChannels, constantChannels } from './constants.ts'
import { channelNeeds } from './needs.ts'
import { Rewriter } from './rewriter.ts'

/** A smaller graph, and what it was that made it smaller. */
export interface Compaction {
	/** The given graph itself where there was nothing to remove. */
	readonly graph: Graph
	/** Value name → the channels that it still has, by their old numbers, ascending; values that have all of theirs are missing. */
	readonly layouts: ReadonlyMap<string, readonly number[]>
	/** Channels of the given graph that are one number everywhere. */
	readonly constants: ConstantChannels
}

/**
 * `graph` with every channel removed that its outputs do not need: same answers up to rounding, smaller tensors. The given graph stays
 * as it was.
 *
 * A channel goes where it is zero on every image, or any other constant that the next layer's bias can stand for. It stays where a
 * padded convolution reads a constant other than zero (the padding beside it makes that differ from place to place), and where
 * something reads it that mixes channels without weights. Convolutions in groups keep their groups equally large.
 *
 * @param shapes shape of every value of the graph, as `Model.values` holds them
 */
export function compactGraph(graph: Graph, shapes: Shapes): Compaction {
	const plain = restateReshapes(graph, channelRoles(graph, shapes))
	const channels = channelRoles(plain, shapes)
	const constants = constantChannels(plain, channels)
	const rewriter = new Rewriter(plain, channels, constants, channelNeeds(plain, channels, constants))
	const compact = rewriter.rewrite()
	return { graph: compact === plain ? graph : withoutUnread(compact), layouts: rewriter.layouts, constants }
}

/**
 * Reshapes whose target is computed (`x.view(x.size(0), -1)`) with a constant one: as many images as came, then this shape. Counting
 * channels is not reading them, and what only counted them is not needed any more.
 */
function restateReshapes(graph: Graph, { roles }: ChannelRoles): Graph {
	const writers = writersOf(graph)
	const taken = valueNames(graph)
	const initializers = new Map(graph.initializers)
	const nodes = graph.nodes.map((node): Node => {
		const role = roles.get(node)!
		const [x = '', shape = ''] = node.inputs
		if (role.kind !== 'reshape' || node.op !== 'Reshape' || constantOf(graph, shape, writers)) return node
		const name = freshName(taken, `${node.outputs[0]}/shape`)
		taken.add(name)
		initializers.set(name, intTensor(role.target))
		return { ...node, inputs: [x, name] }
	})
	return withoutUnread({ ...graph, nodes, initializers })
}

/** The nodes and constants that the outputs depend on. Shapes that the file noted are those of the larger net. */
function withoutUnread(graph: Graph): Graph {
	const required = requiredFor(
		graph,
		graph.outputs.map(({ name }) => name),
	)
	const nodes = graph.nodes.filter((node) => required.has(node))
	const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)])
	const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)))
	// Initializers that are no inputs need IR version 4.
	return { ...graph, nodes, initializers, valueInfo: [], irVersion: Math.max(graph.irVersion, 4) }
}
