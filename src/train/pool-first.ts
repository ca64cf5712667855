/** Max pooling as training wants it: before the ReLU instead of behind it. */
import { type Graph, makeNode, type Node } from '../graph/graph.ts'
import { freshName, readersOf, valueNames, writersOf } from '../graph/query.ts'

/**
 * `graph` with every max pooling moved in front of a ReLU that nothing else reads: the two commute, and the ReLU and its gradient then pass over
 * a quarter of the elements. All values that others read stay the same.
 */
export function poolFirst(graph: Graph): Graph {
	const writers = writersOf(graph)
	const readers = readersOf(graph)
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	const taken = valueNames(graph)
	const moved = new Set<Node>()
	const reluBefore = ({ inputs: [input = ''] }: Node): Node | undefined => {
		const writer = writers.get(input)
		const isAlone = readers.get(input)?.length === 1 && !outputs.has(input)
		return writer?.op === 'Relu' && isAlone ? writer : undefined
	}
	const rewritten = graph.nodes.map((node): readonly Node[] => {
		const [output, second] = node.outputs
		const relu = node.op === 'MaxPool' && output !== undefined && !second ? reluBefore(node) : undefined
		if (!relu || output === undefined) return [node]
		moved.add(relu)
		const pooled = freshName(taken, `${output}/pooled`)
		taken.add(pooled)
		return [
			{ ...node, inputs: [relu.inputs[0]!], outputs: [pooled] },
			{ ...makeNode('Relu', [pooled], [output]), name: relu.name },
		]
	})
	return { ...graph, nodes: rewritten.flat().filter((node) => !moved.has(node)) }
}
