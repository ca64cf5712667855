/** The public library: runs in Node and in browsers. What needs a file system is in `goodnet/node`. */

// The attack lab
export type { Attack } from './attack/attack.ts'
export { makeAttack } from './attack/make-attack.ts'
export type { AttackOptions } from './attack/options.ts'
export type { Picture } from './attack/overlay.ts'
export { type PoisonedTest, type PoisonedTraining, poisonTest, poisonTraining } from './attack/poison.ts'
export { drawTrigger } from './attack/trigger-image.ts'
// Records and reports
export { AttackName, AttackRun, StampResult } from './contracts/attack-run.ts'
export { EvaluateRun } from './contracts/evaluate-run.ts'
export { GuardKind, GuardRun } from './contracts/guard-run.ts'
export { PruneRun, RankName } from './contracts/prune-run.ts'
export { RepairMethodName, RepairRun } from './contracts/repair-run.ts'
export { EpochRecord } from './contracts/training.ts'
// Images
export { holdOut } from './data/held-out.ts'
export type { ImageBatch, ImageSet, ImageSize, Layout } from './data/image-set.ts'
export { type LabelledImages, readImages } from './data/labelled.ts'
export { memoryImages } from './data/memory.ts'
export { type InputSpec, type Preprocessing, RAW } from './data/preprocess.ts'
// The defense
export { evaluateClean, evaluatePoisoned } from './defense/evaluate.ts'
export { GoodNet } from './defense/goodnet.ts'
// Guards
export { type GuardAnswers, guardAnswers } from './defense/guard/answers.ts'
export { disagreement, plainGoodNet } from './defense/guard/disagreement.ts'
export { evaluateGuard, type GuardMeasures, type GuardSets } from './defense/guard/evaluate.ts'
export { type FlipDepthOptions, flipDepth } from './defense/guard/flip-depth.ts'
export type { Guard, RepairedForm } from './defense/guard/guard.ts'
export { type GuardedNet, type GuardOptions, guardNet } from './defense/guard/guard-net.ts'
export { logit as logitBound } from './defense/guard/logit.ts'
export { quarantine } from './defense/guard/quarantine.ts'
export { quorum } from './defense/guard/quorum.ts'
// Trigger inversion
export { type InvertedTrigger, type Inverter, invertTrigger, openInverter } from './defense/invert/invert-trigger.ts'
export { findSuspects } from './defense/invert/suspects.ts'
export { stampTrigger, type Trigger } from './defense/invert/trigger.ts'
// Pruning
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
// Repairs
export { type CleanOptions, type CleanSets, readCleanData } from './defense/repair/data.ts'
export type { MeasuredSets } from './defense/repair/measure.ts'
export type { Repair, RepairContext, RepairData, RepairedPoint, RepairMethod } from './defense/repair/method.ts'
export { DEFAULT_METHOD, methodNamed, REPAIR_METHODS } from './defense/repair/methods/index.ts'
export type { Parameter, ParameterTable, ParameterValue } from './defense/repair/parameters.ts'
export { type MeasuredPoint, type RepairOptions, type RepairResult, repairModel } from './defense/repair/repair.ts'
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
export { gradient } from './graph/gradient/gradient.ts'
export type { Attribute, Dim, DType, Graph, Node, Tensor, TensorOrigin, Value } from './graph/graph.ts'
export { decodeOnnx, encodeOnnx } from './graph/onnx.ts'
export { DEFAULT_PRUNING_AWARE } from './lab/pruning-aware.ts'
export { DEFAULT_RECIPE, type Recipe } from './lab/recipe.ts'
export { type Subject, type SubjectPlan, trainSubject } from './lab/subject.ts'
// Figures
export { type Auroc, auroc } from './metrics/auroc.ts'
export { type Interval, wilson } from './metrics/interval.ts'
export { mcnemar } from './metrics/mcnemar.ts'
export { der, dropReached } from './metrics/rates.ts'
export { compactModel } from './model/compact.ts'
export type { Model, ModelFormat, ModelInput, ModelKind, ModelSource } from './model/model.ts'
export { type OpenModelOptions, openModel } from './model/open.ts'
export { type Prediction, predict, predictLabels, type RunOptions } from './model/predict.ts'
export { inferShapes } from './model/shapes.ts'
export { reportHtml } from './report/html.ts'
export { closingTable } from './report/table.ts'
export { verdict } from './report/verdict.ts'
// Running
export type { Carried, Feed, Loop, Runtime, Session, TensorData } from './runtime/runtime.ts'
export { type WebRuntimeOptions, webRuntime } from './runtime/web.ts'
// Training
export { type AdamOptions, adam } from './train/adam.ts'
export { ARCHITECTURES, type ArchitectureName } from './train/architectures/index.ts'
export { type Augmentation, NO_AUGMENTATION } from './train/augment.ts'
export type { TrainingImages } from './train/batches.ts'
export {
	type CheckpointStore,
	decodeCheckpoint,
	encodeCheckpoint,
	type TrainingCheckpoint,
} from './train/checkpoint.ts'
export { createModel } from './train/create-model.ts'
export type { Optimizer } from './train/optimizer.ts'
export type { TrainOptions, TrainProgress } from './train/options.ts'
export { scheduleOf } from './train/schedule.ts'
export { type SgdOptions, sgd } from './train/sgd.ts'
export { type TrainedModel, train } from './train/train.ts'
export { withWeights } from './train/weights.ts'
