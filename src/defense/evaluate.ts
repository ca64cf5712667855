/** How good a net is on clean images, and how obedient on poisoned ones. Works on plain nets and on GoodNets. */
import type { EvaluateRun } from '../contracts/evaluate-run.ts'
import type { ImageSet } from '../data/image-set.ts'
import { InputError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import { predict, type RunOptions } from '../model/predict.ts'
import { checkLabels, checkPoisoned } from './labels.ts'

/** Clean accuracy, as counts. `rejected` is null for a plain net. @throws InputError `no-labels`, `label-out-of-range` */
export async function evaluateClean(
	model: Model,
	images: ImageSet,
	options: RunOptions = {},
): Promise<NonNullable<EvaluateRun['test']>> {
	checkLabels(images, model.classes)
	const truth = images.labels
	if (!truth) {
		throw new InputError(
			'no-labels',
			`${images.path}: expected labelled images to measure accuracy on, found no labels`,
			{
				path: images.path,
			},
		)
	}
	let correct = 0
	let rejected = 0
	for await (const { start, labels } of predict(model, images, options)) {
		for (const [i, label] of labels.entries()) {
			if (label === truth[start + i]) correct++
			if (label === model.classes) rejected++
		}
	}
	return { correct, rejected: model.kind === 'goodnet' ? rejected : null, total: images.count }
}

/** Attack success and, where true labels are known, robust accuracy. See `poisonedLabels` for what labels mean. */
export async function evaluatePoisoned(
	model: Model,
	images: ImageSet,
	{ target, ...options }: RunOptions & { readonly target?: number | undefined } = {},
): Promise<NonNullable<EvaluateRun['poisoned']>> {
	const known = checkPoisoned(images, model.classes, target)
	const count = { hits: 0, recovered: 0, rejected: 0, total: 0 }
	for await (const { start, labels } of predict(model, images, options)) {
		for (const [i, label] of labels.entries()) {
			const truth = known.trueLabels?.[start + i]
			if (truth === known.target) continue
			count.total++
			if (label === known.target) count.hits++
			if (label === truth) count.recovered++
			if (label === model.classes) count.rejected++
		}
	}
	return {
		...count,
		recovered: known.trueLabels ? count.recovered : null,
		rejected: model.kind === 'goodnet' ? count.rejected : null,
	}
}
