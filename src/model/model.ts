/** A classifier ready for work: the graph, the file it came from, and the facts that one run of it tells. */
import type { InputSpec, Preprocessing } from '../data/preprocess.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** `keras-v3` is a `.keras` archive, `tfjs-layers` a TF.js layers model (`model.json` and shards). */
export type ModelFormat = 'keras-h5' | 'keras-v3' | 'tfjs-layers' | 'onnx'

/** The file a model was read from, kept so that a repair can be written back into it. */
export interface ModelSource {
	readonly path: string
	readonly format: ModelFormat
	/** The whole file; null for a model made here and not saved yet. */
	readonly bytes: Uint8Array | null
	/** The files that belong to it (shards, external data), by their path from its folder, as they were read. */
	readonly beside: ReadonlyMap<string, Uint8Array>
	/** SHA-256 of `bytes`, followed by the files beside it in the order in which the model names them; hex. */
	readonly sha256: string
	/** The graph as it was read, before any edit. */
	readonly graph: Graph
}

/** The image input of a classifier. */
export interface ModelInput extends InputSpec {
	readonly name: string
	readonly dtype: 'float32' | 'float64' | 'float16' | 'uint8'
	/** Images per run where the graph fixes it (old exports write 1), else null. */
	readonly batch: number | null
	/** 4, or 3 for grey images without a channel axis (`[N, H, W]`). */
	readonly rank: 3 | 4
}

/** What a classifier answers with. A GoodNet answers by itself, with `classes` meaning "rejected". */
export type ModelKind = 'classifier' | 'goodnet'

export interface Model {
	readonly kind: ModelKind
	readonly graph: Graph
	readonly source: ModelSource
	readonly input: ModelInput
	/** How raw pixels become that input: as the caller said, else as the file's metadata say, else raw. */
	readonly preprocessing: Preprocessing
	/** What runs it. */
	readonly runtime: Runtime
	/** Number of classes C; labels are 0..C−1, and a GoodNet's "rejected" is C. */
	readonly classes: number
	/** The graph's first output, `[N, C]`: probabilities or logits as the model has them. */
	readonly output: string
	/** The value before a closing softmax, `[N, C]`; the output itself where there is none. */
	readonly logits: string
	/** Type and shape of every value for the input's fixed batch, or `['N', …]` where the batch is free. */
	readonly values: ReadonlyMap<string, Value>
}

/** Names of a GoodNet's outputs (design, section 5). */
export const GOODNET_OUTPUTS = { label: 'label', rejected: 'rejected', scores: 'scores' } as const

/** Name of the output that a GoodNet with a guard has besides: the guard's score, float32 `[N]`. */
export const SUSPICION = 'suspicion'

/** A shape as one reads it: `N×55×47×3`. */
export function showShape(shape: Value['shape']): string {
	return shape === null ? 'unknown' : shape.map((dim) => dim ?? '?').join('×')
}
