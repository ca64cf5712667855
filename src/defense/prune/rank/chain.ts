/** What stands between a layer and whatever makes its channels: the layers that treat each channel by itself. */
import { carriesChannel } from '../../../graph/channels.ts'
import { attributeInts, type Graph, type Node } from '../../../graph/graph.ts'
import { constantOf, writersOf } from '../../../graph/query.ts'

/** A node of the chain and the axis of its output that counts channels. */
export interface Link {
	readonly node: Node
	readonly axis: number
}

/** The chain behind `value`, last node first; ends where a node makes or mixes channels, or reads more than one computed value. */
export function chainBefore(graph: Graph, value: string, axis: number): Link[] {
	const writers = writersOf(graph)
	const links: Link[] = []
	for (let [name, on]: [string, number] = [value, axis]; ; ) {
		const node = writers.get(name)
		const perm = node?.op === 'Transpose' ? attributeInts(node, 'perm') : undefined
		if (!node || !(perm || carriesChannel(graph, node, on, writers))) return links
		links.push({ node, axis: on })
		const [input, ...others] = node.inputs.filter((each) => each !== '' && !constantOf(graph, each, writers))
		if (input === undefined || others.length > 0) return links
		name = input
		on = perm?.[on] ?? on
	}
}
