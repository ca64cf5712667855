/** Notes the shape and type of every value in a graph, as one run on given inputs tells them. */
import { elementCount, type Graph, intsOf, intTensor, type Node, type Tensor, type Value } from '../graph/graph.ts'
import type { Feed, Runtime } from '../runtime/runtime.ts'

/** Pads, axes and shapes are far shorter. */
const MAX_INTEGERS = 1024

/**
 * `graph` with `valueInfo` for every value that it computes, as `gradient` needs it, and its inputs in the shapes of `feeds`. Integers that
 * depend on nothing but shapes become constants: exporters compute pads and shapes with chains of ten nodes. Exact for every operator
 * that the runtime has; the price is one run.
 *
 * @throws UnsupportedError `not-runnable`; InputError `run-failed`
 */
export async function inferShapes(
	graph: Graph,
	runtime: Runtime,
	feeds: Readonly<Record<string, Feed>>,
): Promise<Graph> {
	const irVersion = Math.max(4, graph.irVersion)
	const results = Object.entries(await runKeepingAll(graph, runtime, feeds))
	const valueInfo = results.map(([name, { dims, dtype = 'undefined' }]): Value => ({ name, dtype, shape: dims }))
	const inputs = graph.inputs.map((input): Value => ({ ...input, shape: feeds[input.name]?.dims ?? input.shape }))
	const known = new Map([...valueInfo, ...inputs].map((value) => [value.name, value]))
	const typed = graph.outputs.map((output) => known.get(output.name) ?? output)
	return withConstants({ ...graph, irVersion, inputs, valueInfo, outputs: typed }, new Map(results))
}

/** One run of `graph` with every value that it computes as an output. @throws UnsupportedError `not-runnable`; InputError `run-failed` */
export async function runKeepingAll(
	graph: Graph,
	runtime: Runtime,
	feeds: Readonly<Record<string, Feed>>,
): Promise<Record<string, Feed>> {
	const names = new Set(graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== ''))
	const outputs = [...names].map((name): Value => ({ name, dtype: 'undefined', shape: null }))
	// Exporters' notes on shapes may be wrong for this batch.
	const session = await runtime.load({ ...graph, outputs, valueInfo: [], irVersion: Math.max(4, graph.irVersion) })
	try {
		return await session.run(feeds)
	} finally {
		await session.close()
	}
}

/**
 * `graph` with the shapes that it has for `batch` images, its inputs fixed to that batch. An axis grows with the batch in proportion or does
 * not grow, so two small runs tell the shapes of a large one, which would need much memory to be kept whole.
 *
 * @param feedsFor every input for so many images
 * @throws as `inferShapes`
 */
export async function shapesForBatch(
	graph: Graph,
	runtime: Runtime,
	batch: number,
	feedsFor: (count: number) => Readonly<Record<string, Feed>>,
): Promise<Graph> {
	const two = await inferShapes(graph, runtime, feedsFor(2))
	const three = await inferShapes(graph, runtime, feedsFor(3))
	const grow = ({ shape, ...value }: Value, other: Value): Value => ({
		...value,
		shape: shape && grownAll(shape.map(Number), (other.shape ?? shape).map(Number), batch),
	})
	const grownValues = (values: readonly Value[], others: readonly Value[]) => {
		const known = new Map(others.map((value) => [value.name, value]))
		return values.map((value) => grow(value, known.get(value.name) ?? value))
	}
	const grownConstant = (name: string, tensor: Tensor): Tensor => {
		const other = three.initializers.get(name)
		if (graph.initializers.has(name) || !other) return tensor
		// Made by `inferShapes` from shapes, so of integers; where the batch is among them it grows, too.
		return { ...intTensor(grownAll(intsOf(tensor), intsOf(other), batch)), dims: tensor.dims }
	}
	return {
		...two,
		inputs: grownValues(two.inputs, three.inputs),
		outputs: grownValues(two.outputs, three.outputs),
		valueInfo: grownValues(two.valueInfo, three.valueInfo),
		initializers: new Map([...two.initializers].map(([name, tensor]) => [name, grownConstant(name, tensor)])),
	}
}

/** Numbers for `batch` images that are known for two and three. */
function grownAll(two: readonly number[], three: readonly number[], batch: number): number[] {
	return two.map((value, i) => value + (batch - 2) * ((three[i] ?? value) - value))
}

/** `graph` with the integers that its shapes determine as constants, in place of the nodes that computed them. */
function withConstants(graph: Graph, results: ReadonlyMap<string, Feed>): Graph {
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	const initializers = new Map(graph.initializers)
	const fixed = fixedByShapes(graph)
	const nodes = graph.nodes.filter((node) => {
		const [name, ...others] = node.outputs
		const tensor =
			fixed.has(node) && others.length === 0 && !outputs.has(name!) ? integersOf(results.get(name!)) : undefined
		if (tensor) initializers.set(name!, tensor)
		return tensor === undefined
	})
	const valueInfo = graph.valueInfo.filter(({ name }) => !initializers.has(name))
	return { ...graph, nodes, initializers, valueInfo }
}

/** Nodes whose results do not depend on what is fed, only on its shape. */
function fixedByShapes(graph: Graph): ReadonlySet<Node> {
	const open = new Set(graph.inputs.map(({ name }) => name))
	const fixed = new Set<Node>()
	for (const node of graph.nodes) {
		const isFixed = SHAPE_ONLY.has(node.op) || !(holdsGraph(node) || node.inputs.some((name) => open.has(name)))
		if (isFixed) fixed.add(node)
		else for (const name of node.outputs) open.add(name)
	}
	return fixed
}

/** A graph within a node reads values that the node does not list. */
function holdsGraph({ attributes }: Node): boolean {
	return Object.values(attributes).some(({ type }) => type === 'opaque')
}

const SHAPE_ONLY = new Set(['Shape', 'Size'])

function integersOf(result: Feed | undefined): Tensor | undefined {
	if (result?.dtype !== 'int64' || elementCount(result.dims) > MAX_INTEGERS) return undefined
	const { buffer, byteOffset, byteLength } = result.data
	// A copy, so that the constant does not keep the engine's memory.
	return { dtype: 'int64', dims: result.dims, bytes: new Uint8Array(buffer, byteOffset, byteLength).slice() }
}
