/** Notes the shape and type of every value in a graph, as one run on given inputs tells them. */
import type { Graph, Value } from '../graph/graph.ts'
import type { Feed, Runtime } from '../runtime/runtime.ts'

/**
 * `graph` with `valueInfo` for every value that it computes, as `gradient` needs it. Exact for every operator that the runtime has; the
 * price is one run.
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
		const valueInfo = results.map(([name, { dims, dtype = 'undefined' }]): Value => ({ name, dtype, shape: dims }))
		return { ...graph, valueInfo, outputs: graph.outputs.map((output) => typed(output, valueInfo)) }
	} finally {
		await session.close()
	}
}

function typed(output: Value, known: readonly Value[]): Value {
	return known.find(({ name }) => name === output.name) ?? output
}
