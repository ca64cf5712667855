/** What stands between a layer and whatever makes its channels: the layers that treat each channel by itself. */
import { attributeInts, type Graph, type Node } from '../../../graph/graph.ts'
import { constantOf, writersOf } from '../../../graph/query.ts'

/** Operators of one variable input that keep channels apart. */
const CARRIERS = new Set(
	`Relu LeakyRelu PRelu Elu Selu Celu Sigmoid Tanh Clip HardSigmoid HardSwish Softplus Gelu Min Identity Dropout Cast Pad Transpose
	BatchNormalization MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool`.split(/\s+/),
)

/** A node of the chain and the axis of its output that counts channels. */
export interface Link {
	readonly node: Node
	readonly axis: number
}

/** The chain behind `value`, last node first; ends where a node makes or mixes channels. */
export function chainBefore(graph: Graph, value: string, axis: number): Link[] {
	const writers = writersOf(graph)
	const links: Link[] = []
	for (let link = linkOf(value, axis); link; ) {
		links.push(link)
		const [input, ...others] = link.node.inputs.filter((name) => name !== '' && !constantOf(graph, name, writers))
		const perm = link.node.op === 'Transpose' ? attributeInts(link.node, 'perm') : undefined
		link = input === undefined || others.length > 0 ? undefined : linkOf(input, perm?.[link.axis] ?? link.axis)
	}
	return links

	function linkOf(name: string, on: number): Link | undefined {
		const node = writers.get(name)
		return node?.domain === '' && CARRIERS.has(node.op) ? { node, axis: on } : undefined
	}
}
