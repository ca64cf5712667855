/**
 * Puts a graph into the form that gradient rules know: opset 17 where it was older, so that a rule sees each operator in one spelling.
 * What changed between opsets: github.com/onnx/onnx, docs/Changelog.md, and the adapters of its version converter.
 */
import type { Graph, Node, Tensor, Value } from '../graph.ts'
import { constantOf, freshName, valueNames, writersOf } from '../query.ts'
import { upgradeOpset } from '../upgrade.ts'
import { type Restater, refuse, restatements } from './restatements.ts'

/** The opset in which every rule and everything that rules emit is spelled alike; newer ones differ only where reductions keep their axes. */
const OPSET = 17

/**
 * `graph` in opset 17, or newer if it was newer; it computes the same. Dropouts that may drop also get the mask that their gradient needs.
 *
 * @throws UnsupportedError `opset-too-old` for a node that newer opsets cannot say, and for graphs within nodes
 */
export function restateForGradient(graph: Graph): Graph {
	const opset = graph.opsets.get('') ?? 1
	const current = opset < OPSET ? raised(upgradeOpset(graph), Math.max(7, opset)) : graph
	const nodes = withMasks(current)
	return nodes === current.nodes ? current : { ...current, nodes }
}

function raised(graph: Graph, opset: number): Graph {
	const initializers = new Map(graph.initializers)
	const valueInfo = [...graph.valueInfo]
	const known = new Map([...graph.valueInfo, ...graph.inputs, ...graph.outputs].map((value) => [value.name, value]))
	const taken = valueNames(graph)
	const writers = writersOf(graph)
	const fresh = (wish: string) => {
		const name = freshName(taken, wish)
		taken.add(name)
		return name
	}
	const restater: Restater = {
		opset,
		constant: (wish, tensor) => {
			const name = fresh(wish)
			initializers.set(name, tensor)
			return name
		},
		constantOf: (name): Tensor | undefined => (name ? constantOf(graph, name, writers) : undefined),
		shapeOf: (name) => graph.initializers.get(name)?.dims ?? known.get(name)?.shape ?? undefined,
		value: (wish, like, shape) => {
			const name = fresh(wish)
			const value: Value = { name, dtype: known.get(like)?.dtype ?? 'undefined', shape: shape ?? null }
			if (shape) valueInfo.push(value)
			return name
		},
		isRead: (name) => readNames(graph).has(name),
	}
	const nodes = graph.nodes.flatMap((node) => restated(node, restater))
	// Opset 17 came with IR version 8.
	const irVersion = Math.max(8, graph.irVersion)
	return { ...graph, nodes, initializers, valueInfo, irVersion, opsets: new Map([...graph.opsets, ['', OPSET]]) }
}

function restated(node: Node, restater: Restater): readonly Node[] {
	if (node.domain !== '') return [node]
	if (Object.values(node.attributes).some(({ type }) => type === 'opaque')) refuse(node, restater, 'holds a graph')
	const { before, restate } = restatements.get(node.op) ?? { before: 0, restate: () => [node] }
	return restater.opset < before ? restate(node, restater) : [node]
}

function readNames(graph: Graph): ReadonlySet<string> {
	return new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)])
}

/** Names the mask of every Dropout that may be training; the very same list if there is none. */
function withMasks(graph: Graph): readonly Node[] {
	const isMasked = ({ op, domain, inputs, outputs }: Node) =>
		op !== 'Dropout' || domain !== '' || !inputs[2] || Boolean(outputs[1])
	if (graph.nodes.every(isMasked)) return graph.nodes
	const taken = valueNames(graph)
	return graph.nodes.map((node) => {
		if (isMasked(node)) return node
		const mask = freshName(taken, `${node.outputs[0]}/mask`)
		taken.add(mask)
		return { ...node, outputs: [node.outputs[0]!, mask] }
	})
}
