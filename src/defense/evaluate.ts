/** How good a net is on clean images, and how obedient on poisoned ones. Works on plain nets and on GoodNets. */
import type { EvaluateRun } from '../contracts/evaluate-run.ts'
import type { CleanCount } from '../contracts/prune-run.ts'
import type { ImageSet } from '../data/image-set.ts'
import { InputError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import { predictLabels, type RunOptions } from '../model/predict.ts'
import { countClean, countPoisoned } from './count.ts'
import { checkLabels, checkPoisoned } from './labels.ts'

/** Clean accuracy, as counts. `rejected` is null for a plain net. @throws InputError `no-labels`, `label-out-of-range` */
export async function evaluateClean(
	model: Model,
	images: ImageSet,
	options: RunOptions = {},
): Promise<NonNullable<EvaluateRun['test']>> {
	checkLabels(images, model.classes)
	const { labels, path } = images
	if (!labels) {
		const message = `${path}: expected labelled images to measure accuracy on, found no labels`
		throw new InputError('no-labels', message, { path })
	}
	const counts = countClean(await predictLabels(model, images, options), labels, model.classes)
	return { ...counts, rejected: model.kind === 'goodnet' ? counts.rejected : null }
}

/** Clean accuracy of a plain net, which rejects nothing. @throws as `evaluateClean` */
export async function cleanAccuracy(model: Model, images: ImageSet, options: RunOptions = {}): Promise<CleanCount> {
	const { correct, total } = await evaluateClean(model, images, options)
	return { correct, total }
}

/** Attack success and, where true labels are known, robust accuracy. See `checkPoisoned` for what labels mean. */
export async function evaluatePoisoned(
	model: Model,
	images: ImageSet,
	{ target, ...options }: RunOptions & { readonly target?: number | undefined } = {},
): Promise<NonNullable<EvaluateRun['poisoned']>> {
	const known = checkPoisoned(images, model.classes, target)
	const counts = countPoisoned(await predictLabels(model, images, options), known, model.classes)
	return { ...counts, rejected: model.kind === 'goodnet' ? counts.rejected : null }
}
