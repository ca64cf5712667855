/** Two computations in one graph that share nothing but what they are told to: each keeps constants of its own, however equal. */
import { renameValues } from './edit.ts'
import type { Graph } from './graph.ts'
import { valueNames } from './query.ts'

export interface PutBeside {
	/** Computes what both did; inputs and outputs are those of the first. */
	readonly graph: Graph
	/** What a value of the second is called in it. */
	readonly nameOf: (name: string) => string
}

/**
 * Puts `other` behind `graph`. See `merge` for nets whose common parts shall run once: here nothing is shared by being equal, because one side
 * may learn and the other not.
 *
 * @param other of the same operator sets
 * @param given value of `other` → the value of `graph` that it is, in place of an input, constant or result of its own
 * @param suffix what ends the names of everything else of `other`; a number follows where names would collide
 */
export function putBeside(graph: Graph, other: Graph, given: ReadonlyMap<string, string>, suffix: string): PutBeside {
	const end = freeSuffix(valueNames(graph), [...valueNames(other)], suffix)
	// The empty name is an omitted input.
	const nameOf = (name: string) => given.get(name) ?? (name === '' ? '' : `${name}${end}`)
	const isGiven = (name: string) => given.has(name)
	const own = {
		...other,
		initializers: new Map([...other.initializers].filter(([name]) => !isGiven(name))),
		valueInfo: other.valueInfo.filter(({ name }) => !isGiven(name)),
	}
	const { nodes, initializers, valueInfo } = renameValues(own, nameOf)
	return {
		nameOf,
		graph: {
			...graph,
			// Engines refuse two nodes of one name.
			nodes: [...graph.nodes, ...nodes.map((node) => ({ ...node, name: node.name && `${node.name}${end}` }))],
			initializers: new Map([...graph.initializers, ...initializers]),
			valueInfo: [...graph.valueInfo, ...valueInfo],
		},
	}
}

function freeSuffix(taken: ReadonlySet<string>, names: readonly string[], wish: string): string {
	let suffix = wish
	for (let i = 2; names.some((name) => taken.has(`${name}${suffix}`)); i++) suffix = `${wish}_${i}`
	return suffix
}
