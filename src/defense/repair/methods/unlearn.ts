/** Unlearning: a reversed trigger is stamped onto clean images that keep their labels, and the net learns to ignore it. */

import type { EpochRecord } from '../../../contracts/training.ts'
import { imageAt, valuesOf } from '../../../data/labelled.ts'
import type { Model } from '../../../model/model.ts'
import { createRandom, shuffled } from '../../../random.ts'
import type { TrainingImages } from '../../../train/batches.ts'
import { type InvertedTrigger, openInverter } from '../../invert/invert-trigger.ts'
import { stampTrigger, type Trigger } from '../../invert/trigger.ts'
import { fitImages } from '../fit-images.ts'
import { defineMethod, NO_FINDINGS, type RepairContext, type RepairData } from '../method.ts'
import type { ParameterTable } from '../parameters.ts'
import { isLabelTold, LABEL_PARAMETERS, leftAlone, namedLabels, suspectedLabels } from '../suspected.ts'
import { TUNING_PARAMETERS, TUNING_STAGES, tune } from '../tuning.ts'

/** Second name of the random stream. */
const STREAM = 62

const PARAMETERS = {
	...LABEL_PARAMETERS,
	rounds: {
		meaning: 'inversions of each suspected label, each followed by tuning',
		default: 2,
		low: 1,
		high: 100,
		isWhole: true,
	},
	share: { meaning: 'share of the tuning images that get a trigger', default: 0.2, low: 0.01, high: 1 },
	'invert-steps': { meaning: 'steps of an inversion', default: 200, low: 1, high: 100_000, isWhole: true },
	...TUNING_PARAMETERS,
	epochs: { ...TUNING_PARAMETERS.epochs, meaning: 'passes over the tuning images in a round', default: 8 },
	lr: { ...TUNING_PARAMETERS.lr, default: 0.003 },
} as const satisfies ParameterTable

export const unlearn = defineMethod({
	name: 'unlearn',
	summary:
		'reverses the trigger of a suspected label and trains it away (Neural Cleanse, Wang et al. 2019, section VI.B)',
	needs: ['tuning', 'valid'],
	parameters: PARAMETERS,
	isOracle: isLabelTold,
	async repair(model, data, context) {
		const tuning = fitImages(data.tuning!, model)
		const { labels, usualNorm, findings } = await suspectedLabels(model, tuning, context)
		const found = { ...NO_FINDINGS, suspects: findings }
		if (labels.length === 0) return leftAlone(model, found)
		const {
			model: tuned,
			rounds,
			history,
		} = await unlearnLabels(model, { ...data, tuning }, labels, usualNorm, context)
		const chosenBy = `after ${rounds} rounds against ${namedLabels(labels)}`
		return { points: [{ name: '', chosenBy, model: tuned }], findings: { ...found, history } }
	},
})

/** Rounds of inversion and tuning, until no label has a trigger of a suspicious size any more. */
async function unlearnLabels(
	model: Model,
	data: RepairData & { readonly tuning: TrainingImages },
	labels: readonly number[],
	usualNorm: number,
	context: RepairContext<typeof PARAMETERS>,
) {
	const { parameters, seed, signal, onProgress } = context
	const inverter = await openInverter(model)
	const triggers: InvertedTrigger[] = []
	let current = model
	let history: readonly EpochRecord[] = []
	// Searched for in the first round, as far as it was not told.
	let rate = parameters.lr
	let rounds = 0
	for (; rounds < parameters.rounds; rounds++) {
		const fresh: InvertedTrigger[] = []
		for (const label of labels) {
			const trigger = await inverter.invert(data.tuning, {
				...{ label, signal, seed: seed + rounds, model: current, steps: parameters['invert-steps'] },
				onProgress: (done, total) => onProgress?.(`round ${rounds + 1}: invert label ${label}`, done, total),
			})
			// Later triggers are as large as an object, and unlearning one only costs accuracy.
			if (rounds === 0 || (trigger.isReached && trigger.norm < usualNorm)) fresh.push(trigger)
		}
		if (fresh.length === 0) break
		triggers.push(...fresh)
		const images = withTriggers(data.tuning, triggers, parameters.share, seed + rounds)
		const tuned = await tune(
			current,
			{ ...data, tuning: images },
			{ ...context, parameters: { ...parameters, lr: rate } },
			{ stage: rounds === 0 ? 1 : TUNING_STAGES + rounds, reference: model },
		)
		rate = tuned.rate
		current = tuned.model
		history = tuned.history
	}
	return { model: current, rounds, history: [...history] }
}

/** `images` with triggers on a share of them, each trigger in turn; the labels stay. */
function withTriggers(
	images: TrainingImages,
	triggers: readonly Trigger[],
	share: number,
	seed: number,
): TrainingImages {
	const chosen = shuffled(Array(images.count).keys(), createRandom(seed, STREAM, 0), Math.ceil(share * images.count))
	const pixels = images.pixels.slice()
	for (const [i, index] of chosen.entries()) {
		const stamped = stampTrigger(imageAt(pixels, index, images), triggers[i % triggers.length]!)
		pixels.set(stamped, index * valuesOf(images))
	}
	return { ...images, pixels }
}
