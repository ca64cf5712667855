/** Notes the shape and type of every value in a graph, as runs on blank images tell them. */
import type { Dim, Graph, Value } from '../graph/graph.ts'
import type { Feed, Runtime } from '../runtime/runtime.ts'

/**
 * `graph` with `valueInfo` for every value that it computes, as `gradient` needs it. Exact for every operator that the runtime has; the
 * price is one run that keeps everything.
 *
 * @throws UnsupportedError `not-runnable`; InputError `run-failed`
 */
export async function inferShapes(
	graph: Graph,
	runtime: Runtime,
	feeds: Readonly<Record<string, Feed>>,
): Promise<Graph> {
	const names = new Set(graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== ''))
	const outputs = [...names].map((name): Value => ({ name, dtype: 'undefined', shape: null }))
	const session = await runtime.load({ ...graph, outputs, valueInfo: [], irVersion: Math.max(4, graph.irVersion) })
	try {
		const results = Object.entries(await session.run(feeds))
		return withValues(
			graph,
			results.map(([name, { dims, dtype = 'undefined' }]): Value => ({ name, dtype, shape: dims })),
		)
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
	const shapesOfThree = new Map(three.valueInfo.map(({ name, shape }) => [name, shape]))
	const values = two.valueInfo.map((value): Value => {
		const other = shapesOfThree.get(value.name) ?? null
		return { ...value, shape: value.shape?.map((dim, axis) => grown(dim, other?.[axis] ?? dim, batch)) ?? null }
	})
	const inputs = graph.inputs.map(({ shape, ...value }) => ({ ...value, shape: shape && [batch, ...shape.slice(1)] }))
	return { ...withValues(graph, values), inputs }
}

/** A dimension for `batch` images, of which it is known for two and three. */
function grown(two: Dim, three: Dim, batch: number): number {
	const perImage = Number(three) - Number(two)
	return Number(two) + (batch - 2) * perImage
}

function withValues(graph: Graph, valueInfo: readonly Value[]): Graph {
	const known = new Map(valueInfo.map((value) => [value.name, value]))
	return { ...graph, valueInfo, outputs: graph.outputs.map((output) => known.get(output.name) ?? output) }
}
