/** Questions one asks a graph: who writes a value, who reads it, is it constant, what depends on what. */
import type { Graph, Node, Tensor } from './graph.ts'

/** Value name → the node that writes it. Inputs and initializers have no writer. */
export function writersOf(graph: Graph): ReadonlyMap<string, Node> {
	return new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
}

/** Value name → the nodes that read it, in graph order. */
export function readersOf(graph: Graph): ReadonlyMap<string, readonly Node[]> {
	const readers = new Map<string, Node[]>()
	for (const node of graph.nodes) {
		for (const name of new Set(node.inputs)) {
			const list = readers.get(name)
			if (list) list.push(node)
			else readers.set(name, [node])
		}
	}
	return readers
}

/** The constant called `name`: an initializer, or what a `Constant` node holds; undefined for a computed value. */
export function constantOf(graph: Graph, name: string, writers = writersOf(graph)): Tensor | undefined {
	const initializer = graph.initializers.get(name)
	if (initializer) return initializer
	const node = writers.get(name)
	const value = node?.op === 'Constant' ? node.attributes.value : undefined
	return value?.type === 'tensor' ? value.value : undefined
}

/** Operators that compute with integers in place of real numbers, or go from one to the other. */
const QUANTIZED = /^(QuantizeLinear|DequantizeLinear|DynamicQuantizeLinear|QLinear\w+|ConvInteger|MatMulInteger)$/

/** Is this a quantised net: QDQ pairs around its operators, integer operators, or filters kept as integers? */
export function isQuantized(graph: Graph): boolean {
	return graph.nodes.some(({ op }) => QUANTIZED.test(op))
}

/** All nodes whose result depends on one of `names`, directly or not. */
export function dependentsOf(graph: Graph, names: Iterable<string>): ReadonlySet<Node> {
	const reached = new Set(names)
	const nodes = new Set<Node>()
	for (const node of graph.nodes) {
		if (!node.inputs.some((name) => reached.has(name))) continue
		nodes.add(node)
		for (const name of node.outputs) reached.add(name)
	}
	return nodes
}

/** All nodes needed to compute `names`, stopping at the values in `given`. */
export function requiredFor(
	graph: Graph,
	names: Iterable<string>,
	given: ReadonlySet<string> = new Set(),
): ReadonlySet<Node> {
	const needed = new Set([...names].filter((name) => !given.has(name)))
	const nodes = new Set<Node>()
	for (const node of graph.nodes.toReversed()) {
		if (!node.outputs.some((name) => needed.has(name))) continue
		nodes.add(node)
		for (const name of node.inputs) if (!given.has(name)) needed.add(name)
	}
	return nodes
}

/** What may stand behind a softmax without changing which class is which. */
const PASSING = new Set(['Identity', 'Cast', 'Dropout', 'Flatten', 'Squeeze', 'Unsqueeze', 'Reshape'])

/**
 * The value that holds the class logits: what a closing Softmax or LogSoftmax reads, or the output itself. Both keep the order of
 * the classes, and logits do not saturate at 1.0 as float32 probabilities do.
 */
export function logitsOf(graph: Graph, output: string): string {
	const writers = writersOf(graph)
	let writer = writers.get(output)
	while (writer && PASSING.has(writer.op)) writer = writers.get(writer.inputs[0]!)
	return writer?.op === 'Softmax' || writer?.op === 'LogSoftmax' ? writer.inputs[0]! : output
}

/** A name that no value of `graph` has yet, made from `wish`. */
export function freshName(taken: ReadonlySet<string>, wish: string): string {
	let name = wish
	for (let i = 2; taken.has(name); i++) name = `${wish}_${i}`
	return name
}

/** Every value name in use. */
export function valueNames(graph: Graph): Set<string> {
	const written = graph.nodes.flatMap((node) => [...node.inputs, ...node.outputs])
	return new Set([...written, ...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()])
}
