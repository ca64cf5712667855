/** The public library: runs in Node and in browsers. What needs a file system is in `goodnet/node`. */

// Records and reports
export { EvaluateRun } from './contracts/evaluate-run.ts'
export { PruneRun, RankName } from './contracts/prune-run.ts'
// Images
export type { ImageBatch, ImageSet, Layout } from './data/image-set.ts'
export { memoryImages } from './data/memory.ts'
export { type InputSpec, type Preprocessing, RAW } from './data/preprocess.ts'
// The defense
export { evaluateClean, evaluatePoisoned } from './defense/evaluate.ts'
export { GoodNet } from './defense/goodnet.ts'
export { type AcrossOptions, type AcrossSweep, pruneAcross } from './defense/prune/across-layers.ts'
export type { ActivationStore } from './defense/prune/batch-source.ts'
export { type BlindOptions, type BlindPruning, pruneBlindly } from './defense/prune/blind.ts'
export { type CompactOptions, type CompactResult, compactRepaired } from './defense/prune/compact.ts'
export type { Choice, ChoiceName, Curve } from './defense/prune/curve.ts'
export { chooseLayer, type PruneLayer, prunableLayers } from './defense/prune/layer.ts'
export {
	countPoisoned,
	type PruneOptions,
	type PruneStage,
	prune,
	type ReachedDrop,
	type Sweep,
} from './defense/prune/prune.ts'
export { rankLayer } from './defense/prune/rank/rank-layer.ts'
export { type PruningRecord, pruneChannels, pruneUnits, type RepairedModel } from './defense/prune/repaired.ts'
// Errors
export {
	FormatError,
	GoodnetError,
	InputError,
	InterruptedError,
	MachineError,
	UnsupportedError,
	UsageError,
} from './errors.ts'
// Models
export type { ReadBeside } from './formats/beside.ts'
export { normalizationBehind, type Producer } from './graph/channels.ts'
export type { Consumer, ConsumerKind } from './graph/consumers.ts'
export type { ChannelAxis } from './graph/edit.ts'
export type { Attribute, Dim, DType, Graph, Node, Tensor, TensorOrigin, Value } from './graph/graph.ts'
export { decodeOnnx, encodeOnnx } from './graph/onnx.ts'
// Figures
export { type Interval, wilson } from './metrics/interval.ts'
export { mcnemar } from './metrics/mcnemar.ts'
export { der, dropReached } from './metrics/rates.ts'
export { compactModel } from './model/compact.ts'
export type { Model, ModelFormat, ModelInput, ModelKind, ModelSource } from './model/model.ts'
export { type OpenModelOptions, openModel } from './model/open.ts'
export { type Prediction, predict, predictLabels, type RunOptions } from './model/predict.ts'
export { reportHtml } from './report/html.ts'
export { closingTable } from './report/table.ts'
export { verdict } from './report/verdict.ts'
// Running
export type { Feed, Runtime, Session, TensorData } from './runtime/runtime.ts'
export { type WebRuntimeOptions, webRuntime } from './runtime/web.ts'
