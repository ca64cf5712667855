/**
 * GoodNet: a net B and its repaired twin B′ in one graph. Where both give the same label, that is the answer; where they differ, the
 * input looks triggered and the answer is class C, "rejected" (CSAW HackML 2020, lab 3). What the two have in common runs once.
 */
import type { ImageSet } from '../data/image-set.ts'
import { UnsupportedError } from '../errors.ts'
import { answerNodes } from '../graph/answer.ts'
import { extract, renameValues } from '../graph/edit.ts'
import { type Graph, intTensor, makeNode, type Node, type Tensor, type Value } from '../graph/graph.ts'
import { merge } from '../graph/merge.ts'
import { GOODNET_OUTPUTS, type Model } from '../model/model.ts'
import { PREPROCESSING_KEY } from '../model/open.ts'
import { predictLabels, type RunOptions } from '../model/predict.ts'
import type { PruningRecord } from './prune/repaired.ts'

/** Prefix of everything that goodnet adds to a graph. */
const OWN = 'goodnet'
const { label, rejected, scores } = GOODNET_OUTPUTS

/** A guarded net: a `Model` like any other, so that it is saved, loaded and run like one. */
export interface GoodNet extends Model {
	readonly kind: 'goodnet'
	/** One label an image, `[N]`: 0..C−1, or C = `classes` where B and B′ disagree. */
	predict(images: ImageSet, options?: RunOptions): Promise<Int32Array>
}

/** What the file should say of itself that the two nets do not know. */
export interface GuardFacts {
	/** SHA-256 of the repaired net's ONNX file, hex. */
	readonly repairedSha256?: string
	/** Names of the classes by label. */
	readonly classNames?: readonly string[] | null
}

export const GoodNet = {
	/**
	 * Wraps `badnet` and a repaired form of it. The outputs are `label` int64 `[N]`, `rejected` bool `[N]` and `scores` float32 `[N, C]`
	 * (B's); inputs and preprocessing are B's. Neither model is changed.
	 *
	 * @throws UnsupportedError `not-twins` where the two are not forms of one net (inputs, classes or operator sets differ)
	 */
	of(
		badnet: Model,
		repaired: Model & { readonly pruning?: readonly PruningRecord[] },
		facts: GuardFacts = {},
	): GoodNet {
		checkTwins(badnet, repaired)
		const graph = withMetadata(guardGraph(badnet, repaired), badnet, repaired, facts)
		const batch = badnet.input.batch ?? 'N'
		const outputs: Value[] = [
			{ name: label, dtype: 'int64', shape: [batch] },
			{ name: rejected, dtype: 'bool', shape: [batch] },
			{ name: scores, dtype: 'float32', shape: badnet.values.get(badnet.output)!.shape },
		]
		const guarded = { ...graph, outputs }
		const logits = renamedFor(badnet.graph)(badnet.logits)
		const values = new Map([
			...[...badnet.values].map(([name, value]) => [renamedFor(badnet.graph)(name), value] as const),
			...outputs.map((value) => [value.name, value] as const),
		])
		const model: Model = {
			...badnet,
			kind: 'goodnet',
			graph: guarded,
			source: { path: badnet.source.path, format: 'onnx', bytes: null, beside: new Map(), sha256: '', graph: guarded },
			output: scores,
			logits,
			values,
		}
		return { ...model, kind: 'goodnet', predict: (images, options) => predictLabels(model, images, options) }
	},
}

function checkTwins(badnet: Model, repaired: Model): void {
	const facts = ({ input, classes, graph, kind }: Model) =>
		JSON.stringify([kind, { ...input }, classes, [...graph.opsets].sort()])
	if (badnet.kind !== 'classifier' || facts(badnet) !== facts(repaired)) {
		const message = `${repaired.source.path} is no repaired form of ${badnet.source.path}: expected two plain nets with the same input, classes and operator sets`
		throw new UnsupportedError('not-twins', message, { path: repaired.source.path })
	}
}

/** B's own values may already bear the names of our outputs; then B's are renamed. */
function renamedFor(graph: Graph): (name: string) => string {
	const inputs = new Set(graph.inputs.map(({ name }) => name))
	const reserved = new Set<string>(Object.values(GOODNET_OUTPUTS))
	return (name) => (reserved.has(name) && !inputs.has(name) ? `${name}/original` : name)
}

function guardGraph(badnet: Model, repaired: Model): Graph {
	const rename = renamedFor(badnet.graph)
	const wanted = (model: Model, names: string[]) =>
		renameValues(
			extract(
				model.graph,
				names.map((name) => model.values.get(name)!),
			),
			rename,
		)
	const own = wanted(badnet, [badnet.output, badnet.logits])
	const twin = wanted(repaired, [repaired.logits])
	const rankOf = (name: string) =>
		(badnet.values.get(name) ?? badnet.values.get(name.replace(/\/original$/, '')))?.shape?.length ?? 4
	const merged = merge(own, twin, [rename(repaired.logits)], '/repaired', rankOf)
	const { nodes, constants } = comparison(badnet, rename(badnet.logits), merged.names[0]!, rename(badnet.output))
	return {
		...merged.graph,
		nodes: [...merged.graph.nodes, ...nodes],
		initializers: new Map([...merged.graph.initializers, ...constants]),
	}
}

/**
 * `label = C + agree · (label of B − C)`, in integers: works in every opset from 7 on, where `Where` came with 9. Both labels are taken
 * from logits, the first of equals, as numpy and Keras do.
 */
function comparison(
	badnet: Model,
	logits: string,
	twinLogits: string,
	output: string,
): { nodes: Node[]; constants: [string, Tensor][] } {
	const at = (name: string) => `${OWN}/${name}`
	const INT64 = 7
	const FLOAT = 1
	const nodes = [
		...answerNodes(logits, at('badnet_label')),
		...answerNodes(twinLogits, at('repaired_label')),
		makeNode('Equal', [at('badnet_label'), at('repaired_label')], [at('agree')]),
		makeNode('Not', [at('agree')], [rejected]),
		makeNode('Cast', [at('agree')], [at('agree_int')], { to: INT64 }),
		makeNode('Sub', [at('badnet_label'), at('classes')], [at('label_below')]),
		makeNode('Mul', [at('agree_int'), at('label_below')], [at('label_or_zero')]),
		makeNode('Add', [at('label_or_zero'), at('classes')], [label]),
		makeNode('Cast', [output], [scores], { to: FLOAT }),
	]
	return { nodes, constants: [[at('classes'), intTensor([badnet.classes])]] }
}

/** What makes the file explain itself (design, section 5). */
function withMetadata(
	graph: Graph,
	badnet: Model,
	repaired: Model & { readonly pruning?: readonly PruningRecord[] },
	{ repairedSha256, classNames }: GuardFacts,
): Graph {
	const record = {
		'goodnet.schema': 'goodnet/guard@1',
		'goodnet.badnet.sha256': badnet.source.sha256,
		...(repairedSha256 && { 'goodnet.repaired.sha256': repairedSha256 }),
		...(classNames && { 'goodnet.classNames': JSON.stringify(classNames) }),
		'goodnet.classes': String(badnet.classes),
		'goodnet.rejected': String(badnet.classes),
		[PREPROCESSING_KEY]: JSON.stringify(badnet.preprocessing),
		...(repaired.pruning && { 'goodnet.pruning': JSON.stringify(repaired.pruning) }),
	}
	return { ...graph, metadata: new Map([...graph.metadata, ...Object.entries(record)]) }
}
