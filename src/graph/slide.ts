/** Moving the place of an edit down a net, past operators that treat every channel by itself. */
import { carriesChannel } from './channels.ts'
import type { Graph } from './graph.ts'
import { constantOf, readersOf, writersOf } from './query.ts'

/** Operators that throw positions away: behind them an edit touches fewer numbers. */
const SHRINKING = new Set(['GlobalAveragePool', 'GlobalMaxPool', 'ReduceMean', 'ReduceMax', 'MaxPool', 'AveragePool'])

/**
 * The last value that `value`'s channels reach one by one, with nothing else mixed in and nobody else reading on the way, behind an
 * operator that throws positions away; `value` itself where no such operator follows. Setting channel `c` of `value` to a constant image
 * sets channel `c` there to a constant image, and touches nothing else: a net cut there can be pruned by editing fewer numbers. For a
 * ResNet's last stage this is the globally pooled vector.
 */
export function slideDown(graph: Graph, value: string, axis: number): string {
	const readers = readersOf(graph)
	const writers = writersOf(graph)
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	let place = value
	for (let end = value; !outputs.has(end); ) {
		const [next, second] = readers.get(end) ?? []
		if (!next || second || !carriesChannel(graph, next, axis, writers)) break
		const isAlone = next.inputs.every((name) => name === end || name === '' || constantOf(graph, name, writers))
		if (!isAlone || next.outputs.length !== 1) break
		end = next.outputs[0]!
		if (SHRINKING.has(next.op)) place = end
	}
	return place
}
