/**
 * Reverse-mode differentiation of a graph (Griewank & Walther, "Evaluating Derivatives", ch. 3): walks the nodes back from the loss and
 * lets each operator's rule say how the gradient of its outputs becomes that of its inputs.
 */
import { InputError, UnsupportedError } from '../../errors.ts'
import { type Graph, type Node, nodeName, type Value } from '../graph.ts'
import { dependentsOf, requiredFor } from '../query.ts'
import { restateForGradient } from './restate.ts'
import { gradientRules } from './rules.ts'
import { type Shape, Tape } from './tape.ts'

export interface Gradient {
	/** Computes what `graph` did, and behind its outputs one gradient for each of `wrt`, of the same shape. */
	readonly graph: Graph
	/** Value → the output that holds its gradient. */
	readonly of: ReadonlyMap<string, string>
}

/**
 * The graph that also computes the gradient of `loss` with respect to each of `wrt`.
 *
 * @param graph float32, with the shape of every value told in numbers by `valueInfo` (see `inferShapes`)
 * @param loss a value of one element
 * @param wrt inputs, initializers or intermediates
 * @throws UnsupportedError `no-gradient` for an operator without a rule, with the path by which the loss reached it; `shape-unknown`
 * @throws InputError `not-a-scalar`, `unknown-value`; `unconnected` where the loss does not depend on one of `wrt`
 */
export function gradient(graph: Graph, loss: string, wrt: readonly string[]): Gradient {
	const restated = restateForGradient(graph)
	const tape = new Tape(restated)
	const shape = tape.shapeOf(loss)
	if (shape.some((dim) => dim !== 1)) {
		throw new InputError('not-a-scalar', `loss ${loss}: expected one number, found shape [${shape.join(', ')}]`)
	}
	const gradients = walkBack(restated, loss, wrt, tape)
	const of = new Map(wrt.map((name) => [name, nameGradient(tape, name, gradients.get(name), loss)]))
	const outputs = [...of].map(
		([name, output]): Value => ({ name: output, dtype: 'float32', shape: tape.shapeOf(name) }),
	)
	return { of, graph: { ...tape.appended(), outputs: [...graph.outputs, ...outputs] } }
}

/** Gradient of every value that the walk met. */
function walkBack(graph: Graph, loss: string, wrt: readonly string[], tape: Tape): ReadonlyMap<string, string> {
	const onPath = nodesBetween(graph, wrt, loss)
	const wanted = new Set([...wrt, ...[...onPath].flatMap(({ outputs }) => outputs)])
	const parts = new Map<string, string[]>([[loss, [seed(tape, tape.shapeOf(loss))]]])
	const total = new Map<string, string>()
	const gradientOf = (name: string): string | undefined => {
		const known = total.get(name) ?? sum(tape, parts.get(name))
		if (known !== undefined) total.set(name, known)
		return known
	}
	for (const node of graph.nodes.toReversed()) {
		if (!onPath.has(node)) continue
		const gradients = node.outputs.map((name) => (name === '' ? undefined : gradientOf(name)))
		if (gradients.every((each) => each === undefined)) continue
		const found = ruleOf(
			graph,
			node,
			loss,
		)({
			node,
			tape,
			gradient: gradients[0] ?? '',
			gradients,
			isWanted: (index) => wanted.has(node.inputs[index] ?? ''),
		})
		for (const [index, part] of found.entries()) {
			const name = node.inputs[index]
			if (part !== undefined && name) parts.set(name, [...(parts.get(name) ?? []), part])
		}
	}
	for (const name of wrt) gradientOf(name)
	return total
}

/** Nodes that depend on one of `wrt` and on which `loss` depends. */
function nodesBetween(graph: Graph, wrt: readonly string[], loss: string): ReadonlySet<Node> {
	const needed = requiredFor(graph, [loss])
	return new Set([...dependentsOf(graph, wrt)].filter((node) => needed.has(node)))
}

function seed(tape: Tape, shape: Shape): string {
	const one = tape.scalar(1)
	return shape.length === 0 ? one : tape.reshape(one, shape)
}

function sum(tape: Tape, parts: readonly string[] | undefined): string | undefined {
	if (parts === undefined || parts.length < 2) return parts?.[0]
	return parts.slice(1).reduce((left, right) => tape.emit('Add', [left, right]), parts[0]!)
}

function ruleOf(graph: Graph, node: Node, loss: string) {
	const rule = node.domain === '' ? gradientRules.get(node.op) : undefined
	if (rule) return rule
	const operator = node.domain ? `${node.domain}.${node.op}` : node.op
	throw new UnsupportedError(
		'no-gradient',
		`${nodeName(node)}: operator ${operator} has no gradient rule; the loss reaches it by ${pathTo(graph, node, loss)}`,
		{ layer: nodeName(node) },
	)
}

/** How the gradient came from the loss to `node`: names of nodes, the loss first. Long paths are shortened in the middle. */
function pathTo(graph: Graph, node: Node, loss: string): string {
	const path = [node]
	const needed = requiredFor(graph, [loss])
	for (let last: Node | undefined = node; last; ) {
		const current: Node = last
		last = graph.nodes.find((next) => needed.has(next) && next.inputs.some((name) => current.outputs.includes(name)))
		if (last) path.push(last)
	}
	const names = path.map((each) => `${nodeName(each)} (${each.op})`).toReversed()
	const shown = names.length > 8 ? [...names.slice(0, 4), `… ${names.length - 8} more …`, ...names.slice(-4)] : names
	return shown.join(' ← ')
}

function nameGradient(tape: Tape, name: string, found: string | undefined, loss: string): string {
	if (found !== undefined) return tape.alias(found, `grad/${name}`)
	throw new InputError('unconnected', `loss ${loss} does not depend on ${name}, or only through integers`, {
		layer: name,
	})
}
