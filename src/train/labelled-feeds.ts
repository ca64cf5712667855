/** A drawn batch as a step takes it. */
import { preprocess } from '../data/preprocess.ts'
import type { Model } from '../model/model.ts'
import { feedOf } from '../model/predict.ts'
import type { Feed } from '../runtime/runtime.ts'
import type { TrainingBatch, TrainingImages } from './batches.ts'
import { LABELS } from './problem.ts'

/** Images, preprocessed, as `model`'s input; and their labels. @param set that the batch was drawn from */
export function labelledFeeds(
	model: Model,
	set: TrainingImages,
	{ images, labels }: TrainingBatch,
): Record<string, Feed> {
	const pixels = preprocess(images, { ...set, layout: 'NHWC' }, model.input, model.preprocessing)
	return { ...feedOf(model, pixels, images.count), [LABELS]: { dims: [images.count], data: labels } }
}
