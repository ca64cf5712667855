/** Test subjects: nets trained here, with a known backdoor or, as their clean twins, without one. */
import type { Attack } from '../attack/attack.ts'
import { type PoisonedTraining, poisonTest, poisonTraining } from '../attack/poison.ts'
import type { EpochRecord } from '../contracts/training.ts'
import type { ImageSet, ImageSize } from '../data/image-set.ts'
import type { LabelledImages } from '../data/labelled.ts'
import { memoryImages } from '../data/memory.ts'
import { evaluateClean } from '../defense/evaluate.ts'
import type { Model } from '../model/model.ts'
import { predictLabels } from '../model/predict.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { CheckpointStore } from '../train/checkpoint.ts'
import { createModel } from '../train/create-model.ts'
import type { TrainProgress } from '../train/options.ts'
import { train } from '../train/train.ts'
import { type PruningAwareOptions, trainPruningAware } from './pruning-aware.ts'
import { type Recipe, trainOptionsOf } from './recipe.ts'

export interface SubjectPlan {
	readonly attack: Attack
	/** Share of the training set that is poisoned. Nothing for `none`. */
	readonly rate: number
	/** Clean images to learn from, of `attack.size`. */
	readonly images: LabelledImages
	/** Clean images to measure on. */
	readonly test: LabelledImages
	/** Name of an architecture: see `ARCHITECTURES`. */
	readonly architecture: string
	readonly recipe: Recipe
	/** Of the pruning-aware attack. */
	readonly pruningAware: PruningAwareOptions
	/** Names the choice of images to poison, the first weights, and the order and augmentation of images. */
	readonly seed: number
	readonly runtime: Runtime
}

export interface SubjectHooks {
	/** Where each stage of training, counted from 1, keeps its checkpoints. */
	readonly checkpoints?: ((stage: number) => CheckpointStore) | undefined
	readonly signal?: AbortSignal | undefined
	readonly onTraining?: ((stage: SubjectStage, progress: TrainProgress) => void) | undefined
	readonly onMeasuring?: ((done: number, total: number) => void) | undefined
}

/** What is trained: the net, or before it the clean net that the pruning-aware attack begins with. */
export type SubjectStage = 'clean net' | 'net'

export interface Subject {
	readonly model: Model
	readonly training: PoisonedTraining
	/** The attacked test images; null for `none`. */
	readonly poisonedTest: (LabelledImages & { readonly trueLabels: Int32Array }) | null
	readonly clean: { readonly correct: number; readonly total: number }
	readonly poisoned: { readonly hits: number; readonly recovered: number; readonly total: number } | null
	readonly history: readonly EpochRecord[]
	/** Of the pruning-aware attack: the layer that it pruned, and the channels that it put back. */
	readonly pruning: { readonly layer: string; readonly decoys: readonly number[] } | null
}

/**
 * Trains a net on a poisoned copy of `plan.images` and measures what came of it. One seed decides everything.
 *
 * @throws as `poisonTraining`, `createModel` and `train` do
 */
export async function trainSubject(plan: SubjectPlan, hooks: SubjectHooks = {}): Promise<Subject> {
	const { attack, recipe, seed, images, test } = plan
	const training = poisonTraining(images, attack, { rate: plan.rate, seed })
	const poisonedTest = attack.name === 'none' ? null : poisonTest(test, attack)
	const model = await createModel(plan.architecture, attack.size, attack.classes, { seed, runtime: plan.runtime })
	const learn = (stage: number, name: SubjectStage, net: Model, set: LabelledImages, masks = new Map()) =>
		train(
			net,
			{ ...set, ...attack.size },
			{
				...trainOptionsOf(recipe, seed),
				masks,
				valid: recipe.patience === null ? undefined : imageSet('test', test, attack.size),
				checkpoints: hooks.checkpoints?.(stage),
				signal: hooks.signal,
				onProgress: (progress) => hooks.onTraining?.(name, progress),
			},
		)
	const made =
		attack.name === 'pruning-aware'
			? await trainPruningAware(
					model,
					{ clean: imageSet('training images', images, attack.size), options: plan.pruningAware, ...hooks },
					{
						clean: (net) => learn(1, 'clean net', net, images),
						poisoned: (net, masks) => learn(2, 'net', net, training, masks),
					},
				)
			: { ...(await learn(1, 'net', model, training)), layer: null, decoys: [] }
	const pruning = made.layer === null ? null : { layer: made.layer, decoys: made.decoys }
	const counts = await measure(made.model, plan, poisonedTest, hooks)
	return { model: made.model, history: made.history, training, poisonedTest, pruning, ...counts }
}

async function measure(
	model: Model,
	{ test, attack }: SubjectPlan,
	poisonedTest: Subject['poisonedTest'],
	{ signal, onMeasuring }: SubjectHooks,
): Promise<Pick<Subject, 'clean' | 'poisoned'>> {
	const total = test.count + (poisonedTest?.count ?? 0)
	const cleanSet = imageSet('test', test, attack.size)
	const { correct } = await evaluateClean(model, cleanSet, {
		signal,
		onProgress: (done) => onMeasuring?.(done, total),
	})
	const clean = { correct, total: test.count }
	if (!poisonedTest) return { clean, poisoned: null }
	const labels = await predictLabels(model, imageSet('poisoned test', poisonedTest, attack.size), {
		signal,
		onProgress: (done) => onMeasuring?.(test.count + done, total),
	})
	const count = (wanted: Int32Array) => labels.reduce((sum, label, i) => sum + (label === wanted[i] ? 1 : 0), 0)
	const poisoned = {
		hits: count(poisonedTest.labels),
		recovered: count(poisonedTest.trueLabels),
		total: poisonedTest.count,
	}
	return { clean, poisoned }
}

/** A set in memory, as evaluation takes it. */
export function imageSet(path: string, { pixels, labels, count }: LabelledImages, size: ImageSize): ImageSet {
	return memoryImages({ path, pixels, labels, count, ...size, layout: 'NHWC', classNames: null })
}
