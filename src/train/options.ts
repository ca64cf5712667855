/** What training is told, and whether it makes sense. */
import type { ImageSet } from '../data/image-set.ts'
import { InputError, UsageError } from '../errors.ts'
import type { Tensor } from '../graph/graph.ts'
import type { Model } from '../model/model.ts'
import { type Augmentation, checkAugmentation, NO_AUGMENTATION } from './augment.ts'
import type { TrainingImages } from './batches.ts'
import type { CheckpointStore } from './checkpoint.ts'
import type { Optimizer } from './optimizer.ts'
import type { ProblemBuilder } from './problem.ts'
import type { Schedule } from './schedule.ts'

export interface TrainOptions {
	readonly epochs: number
	/** Images a step; fewer where the set has fewer. */
	readonly batch: number
	readonly optimizer: Optimizer
	/** Learning rate η at the schedule's height. */
	readonly rate: number
	/** Default: constant. */
	readonly schedule?: Schedule
	/** Label smoothing ε, 0..1. Default 0. */
	readonly smoothing?: number
	/** Greatest norm of the gradient. Default: no limit. */
	readonly clip?: number | null
	/** Default: none. */
	readonly augmentation?: Augmentation
	/** Names every random stream: order and augmentation of the images. */
	readonly seed: number
	/** Clean images that are measured after every epoch, and choose the epoch to stop at. */
	readonly valid?: ImageSet | undefined
	/** Epochs without a better result on `valid` after which training stops; the best epoch's weights are kept. Default: never. */
	readonly patience?: number | null
	/** Parameter → 1 where it learns and 0 where it keeps its value. */
	readonly masks?: ReadonlyMap<string, Tensor>
	/** What is made smaller. Default: `classification`. */
	readonly problem?: ProblemBuilder
	readonly checkpoints?: CheckpointStore | undefined
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((progress: TrainProgress) => void) | undefined
}

/** Told after every step. */
export interface TrainProgress {
	/** Images seen and to be seen in the whole run. */
	readonly done: number
	readonly total: number
	/** Of the epoch under way, counted from 1. */
	readonly epoch: number
	readonly epochs: number
	/** Mean of the epoch so far. */
	readonly loss: number
	readonly accuracy: number
	/** Was this the last step of the epoch? */
	readonly isEpochDone: boolean
}

/** @throws UsageError `bad-training-option`, `bad-augmentation`; InputError `label-out-of-range` */
export function checkOptions(model: Model, images: TrainingImages, options: TrainOptions): void {
	const { epochs, batch, rate, smoothing = 0, clip = null, patience = null, valid, seed } = options
	expectThat(Number.isInteger(epochs) && epochs >= 1, '--epochs', 'a whole number of at least 1', epochs)
	expectThat(Number.isInteger(batch) && batch >= 1, '--batch', 'a whole number of at least 1', batch)
	expectThat(Number.isFinite(rate) && rate > 0, '--lr', 'a number above 0', rate)
	expectThat(smoothing >= 0 && smoothing < 1, '--smoothing', '0 up to 1', smoothing)
	expectThat(clip === null || clip > 0, '--clip', 'a number above 0', clip)
	expectThat(Number.isInteger(seed), '--seed', 'a whole number', seed)
	const isPatient = patience === null || (Number.isInteger(patience) && patience >= 1)
	expectThat(isPatient, '--patience', 'a whole number of epochs of at least 1', patience)
	expectThat(patience === null || valid !== undefined, '--patience', 'clean images with --valid to judge by', 'none')
	checkAugmentation(options.augmentation ?? NO_AUGMENTATION, images)
	const at = images.labels.findIndex((label) => label < 0 || label >= model.classes)
	if (at === -1) return
	const message = `expected labels 0..${model.classes - 1} (the model has ${model.classes} classes), found ${images.labels[at]} at image ${at}`
	throw new InputError('label-out-of-range', message)
}

function expectThat(holds: boolean, option: string, expected: string, found: unknown): void {
	if (!holds) throw new UsageError('bad-training-option', `${option}: expected ${expected}, found ${found}`)
}
