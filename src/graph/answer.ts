/** From logits to a label inside a graph, as `numpy.argmax` decides: the first of equals. */
import { makeNode, type Node } from './graph.ts'

/**
 * Nodes that write the label of each image, int64 `[N]`, to the value `label`. They read `logits`, `[N, C]` or `[N, C, 1, 1]`; a value
 * between them is called `${label}/logits`. Works in every opset from 6 on.
 */
export function answerNodes(logits: string, label: string): Node[] {
	const flat = `${label}/logits`
	return [
		makeNode('Flatten', [logits], [flat], { axis: 1 }),
		makeNode('ArgMax', [flat], [label], { axis: 1, keepdims: 0 }),
	]
}
