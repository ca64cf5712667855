/** A guarded graph as a model that is saved, loaded and run like any other. */
import type { GuardRecord } from '../../contracts/guard-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import type { Graph } from '../../graph/graph.ts'
import { GOODNET_OUTPUTS, type Model } from '../../model/model.ts'
import { PREPROCESSING_KEY } from '../../model/open.ts'
import { predictLabels, type RunOptions } from '../../model/predict.ts'
import type { RepairedForm } from './guard.ts'
import { guardedGraph, type Rule, renamedFor } from './guarded-graph.ts'

/** A guarded net: a `Model` like any other, so that it is saved, loaded and run like one. */
export interface GoodNet extends Model {
	readonly kind: 'goodnet'
	/** One label an image, `[N]`: 0..C−1, or C = `classes` where the image is rejected. */
	predict(images: ImageSet, options?: RunOptions): Promise<Int32Array>
}

/** What the file should say of itself that the nets do not know. */
export interface GuardFacts {
	/** SHA-256 of the repaired nets' ONNX files, hex; several are separated by commas. */
	readonly repairedSha256?: string | undefined
	/** Names of the classes by label. */
	readonly classNames?: readonly string[] | null | undefined
}

/**
 * `badnet` behind a guard's rule, as one model.
 *
 * @param record of the guard, for the metadata; the plain GoodNet has none
 * @throws as `guardedGraph`
 */
export function guardedModel(
	badnet: Model,
	nets: readonly RepairedForm[],
	rule: Rule,
	facts: GuardFacts,
	record?: GuardRecord,
): GoodNet {
	const graph = withMetadata(guardedGraph(badnet, nets, rule), badnet, nets, facts, record)
	const rename = renamedFor(badnet.graph)
	const model: Model = {
		...badnet,
		kind: 'goodnet',
		graph,
		source: { path: badnet.source.path, format: 'onnx', bytes: null, beside: new Map(), sha256: '', graph },
		output: GOODNET_OUTPUTS.scores,
		logits: rename(badnet.logits),
		values: new Map([
			...[...badnet.values].map(([name, value]) => [rename(name), value] as const),
			...graph.outputs.map((value) => [value.name, value] as const),
		]),
	}
	return { ...model, kind: 'goodnet', predict: (images, options) => predictLabels(model, images, options) }
}

/** What makes the file explain itself (design, section 5). */
function withMetadata(
	graph: Graph,
	badnet: Model,
	nets: readonly RepairedForm[],
	{ repairedSha256, classNames }: GuardFacts,
	guard: GuardRecord | undefined,
): Graph {
	// Where there are several, the guard's own parameters tell how they were made.
	const pruning = nets.length === 1 ? nets[0]?.pruning : undefined
	const record = {
		'goodnet.schema': 'goodnet/guard@1',
		'goodnet.badnet.sha256': badnet.source.sha256,
		...(repairedSha256 && { 'goodnet.repaired.sha256': repairedSha256 }),
		...(classNames && { 'goodnet.classNames': JSON.stringify(classNames) }),
		'goodnet.classes': String(badnet.classes),
		'goodnet.rejected': String(badnet.classes),
		[PREPROCESSING_KEY]: JSON.stringify(badnet.preprocessing),
		...(pruning && { 'goodnet.pruning': JSON.stringify(pruning) }),
		...(guard && { 'goodnet.guard': JSON.stringify(guard) }),
	}
	return { ...graph, metadata: new Map([...graph.metadata, ...Object.entries(record)]) }
}
