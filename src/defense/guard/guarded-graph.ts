/** B, the repaired nets a guard asks, and the guard's verdict in one graph. What the nets have in common runs once. */
import { InputError, UnsupportedError } from '../../errors.ts'
import { answerNodes } from '../../graph/answer.ts'
import { extract, renameValues } from '../../graph/edit.ts'
import { type Graph, intTensor, makeNode, type Node, type Tensor, type Value } from '../../graph/graph.ts'
import { merge } from '../../graph/merge.ts'
import { GOODNET_OUTPUTS, type Model, SUSPICION } from '../../model/model.ts'
import type { GuardValues, NetValues, RepairedForm } from './guard.ts'

/** Prefix of everything that goodnet adds to a graph. */
const OWN = 'goodnet'
const FLOAT = 1
const INT64 = 7
const { label, rejected, scores } = GOODNET_OUTPUTS

/** What a rule adds to the graph. */
export interface Verdict {
	readonly nodes: readonly Node[]
	readonly constants: ReadonlyMap<string, Tensor>
	/** Bool `[N]`: does B's answer stand? */
	readonly accepted: string
	/** Did it write a score to `suspicion`, float32 `[N]`? */
	readonly hasSuspicion: boolean
}

/** Decides from what the nets say. It is given the graph so that its own names are new. */
export type Rule = (values: GuardValues, graph: Graph) => Verdict

/**
 * B and `nets` merged, with `rule`'s verdict and a GoodNet's outputs behind: `label`, `rejected`, `scores` and, of a rule with a score,
 * `suspicion`. The models stay as they were.
 *
 * @throws UnsupportedError `not-twins` where a net is no form of B (inputs, classes or operator sets differ)
 * @throws InputError `already-goodnet`
 */
export function guardedGraph(badnet: Model, nets: readonly RepairedForm[], rule: Rule): Graph {
	for (const net of nets) checkTwins(badnet, net)
	checkPlain(badnet)
	const { graph, values } = mergedAnswers(badnet, nets)
	const { nodes, constants, accepted, hasSuspicion } = rule(values, graph)
	const classes = `${OWN}/classes`
	return {
		...graph,
		nodes: [
			...graph.nodes,
			...nodes,
			...answerOrReject(values.badnet.label, accepted, classes),
			makeNode('Cast', [renamedFor(badnet.graph)(badnet.output)], [scores], { to: FLOAT }),
		],
		initializers: new Map([...graph.initializers, ...constants, [classes, intTensor([badnet.classes])]]),
		outputs: outputsOf(badnet, hasSuspicion),
	}
}

function checkTwins(badnet: Model, repaired: Model): void {
	const facts = ({ input, classes, graph, kind }: Model) =>
		JSON.stringify([kind, { ...input }, classes, [...graph.opsets].sort()])
	if (badnet.kind !== 'classifier' || facts(badnet) !== facts(repaired)) {
		const message = `${repaired.source.path} is no repaired form of ${badnet.source.path}: expected two plain nets with the same input, classes and operator sets`
		throw new UnsupportedError('not-twins', message, { path: repaired.source.path })
	}
}

/** @throws InputError `already-goodnet` */
export function checkPlain({ kind, source: { path } }: Model): void {
	if (kind === 'classifier') return
	throw new InputError('already-goodnet', `${path} is a GoodNet already; guard the net that it was made of`, { path })
}

/** B's own values may already bear the names of our outputs; then B's are renamed. */
export function renamedFor(graph: Graph): (name: string) => string {
	const inputs = new Set(graph.inputs.map(({ name }) => name))
	const reserved = new Set<string>([...Object.values(GOODNET_OUTPUTS), SUSPICION])
	return (name) => (reserved.has(name) && !inputs.has(name) ? `${name}/original` : name)
}

/** One graph that computes the label of every net. */
function mergedAnswers(badnet: Model, nets: readonly RepairedForm[]): { graph: Graph; values: GuardValues } {
	const rename = renamedFor(badnet.graph)
	const wanted = (model: Model, names: string[]) => {
		const values = names.map((name) => model.values.get(name)!)
		return renameValues(extract(model.graph, values), rename)
	}
	const rankOf = (name: string) =>
		(badnet.values.get(name) ?? badnet.values.get(name.replace(/\/original$/, '')))?.shape?.length ?? 4
	let graph = wanted(badnet, [badnet.output, badnet.logits])
	const logits = nets.map((net, i) => {
		const merged = merge(graph, wanted(net, [net.logits]), [rename(net.logits)], `/repaired${numbered(i)}`, rankOf)
		graph = merged.graph
		return merged.names[0]!
	})
	const own = answerOf(rename(badnet.logits), `${OWN}/badnet_label`)
	const repaired = logits.map((name, i) => answerOf(name, `${OWN}/repaired_label${numbered(i)}`))
	const nodes = [own, ...repaired].flatMap((answer) => answer.nodes)
	return {
		graph: { ...graph, nodes: [...graph.nodes, ...nodes] },
		values: { classes: badnet.classes, badnet: own.values, repaired: repaired.map(({ values }) => values) },
	}
}

/** The second net and those behind are numbered; the first is called as in a GoodNet, which has only one. */
function numbered(index: number): string {
	return index === 0 ? '' : `_${index + 1}`
}

function answerOf(logits: string, name: string): { nodes: Node[]; values: NetValues } {
	const nodes = answerNodes(logits, name)
	return { nodes, values: { label: name, logits: nodes[0]!.outputs[0]! } } // flattened on the way
}

/**
 * `label = C + accepted · (label of B − C)`, in integers: works in every opset from 7 on, where `Where` came with 9. Both labels are taken
 * from logits, the first of equals, as numpy and Keras do.
 */
function answerOrReject(badnetLabel: string, accepted: string, classes: string): Node[] {
	const at = (name: string) => `${OWN}/${name}`
	return [
		makeNode('Not', [accepted], [rejected]),
		makeNode('Cast', [accepted], [at('agree_int')], { to: INT64 }),
		makeNode('Sub', [badnetLabel, classes], [at('label_below')]),
		makeNode('Mul', [at('agree_int'), at('label_below')], [at('label_or_zero')]),
		makeNode('Add', [at('label_or_zero'), classes], [label]),
	]
}

function outputsOf(badnet: Model, hasSuspicion: boolean): Value[] {
	const batch = badnet.input.batch ?? 'N'
	return [
		{ name: label, dtype: 'int64', shape: [batch] },
		{ name: rejected, dtype: 'bool', shape: [batch] },
		{ name: scores, dtype: 'float32', shape: badnet.values.get(badnet.output)!.shape },
		...(hasSuspicion ? [{ name: SUSPICION, dtype: 'float32', shape: [batch] } as const] : []),
	]
}
