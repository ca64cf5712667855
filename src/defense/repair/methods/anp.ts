/** Adversarial neuron pruning: neurons that make the net fall when they are disturbed a little are silenced. */

import type { Model } from '../../../model/model.ts'
import { NO_AUGMENTATION } from '../../../train/augment.ts'
import { type TrainingImages, trainingBatches } from '../../../train/batches.ts'
import { labelledFeeds } from '../../../train/labelled-feeds.ts'
import { runSteps, scalarFeeds } from '../../../train/run-steps.ts'
import { sgd } from '../../../train/sgd.ts'
import { buildStep } from '../../../train/step.ts'
import type { PruneLayer } from '../../prune/layer.ts'
import { defineMethod, NO_FINDINGS, type RepairContext } from '../method.ts'
import { choosePruning } from '../neurons/choose-pruning.ts'
import { perturbationProblem } from '../neurons/perturbation-problem.ts'
import { neuronCount, neuronPlaces } from '../neurons/places.ts'
import type { ParameterTable } from '../parameters.ts'

const PARAMETERS = {
	steps: { meaning: 'steps of learning the masks', default: 500, low: 1, high: 100_000, isWhole: true },
	lr: { meaning: 'learning rate of the masks', default: 0.2, low: 1e-9, high: 100 },
	batch: { meaning: 'images a step', default: 64, low: 2, high: 4096, isWhole: true },
	momentum: { meaning: 'momentum of SGD', default: 0.9, low: 0, high: 0.999 },
	epsilon: { meaning: 'bound of the disturbance, as a share of the weights', default: 0.4, low: 0, high: 10 },
	alpha: { meaning: 'weight of the undisturbed loss', default: 0.2, low: 0, high: 1 },
	'max-drop': { meaning: 'points of clean validation accuracy that may be lost', default: 2, low: 0, high: 100 },
} as const satisfies ParameterTable

/** Masks up to which neurons are silenced, as the authors' code steps through them. */
const THRESHOLDS = Array.from({ length: 20 }, (_, i) => (i * 5) / 100)
/** Steps up to the first threshold at which there is something to silence. */
const FINER = 10

export const anp = defineMethod({
	name: 'anp',
	summary: 'silences neurons whose disturbance misleads the net most (Wu & Wang 2021, arXiv:2110.14430)',
	needs: ['tuning', 'valid'],
	parameters: PARAMETERS,
	async repair(model, data, context) {
		const places = neuronPlaces(model, 'anp')
		const { masks, means } = await learnMasks(model, places, data.tuning!, context)
		const order = [...masks.keys()].sort((a, b) => masks[a]! - masks[b]! || means[a]! - means[b]! || a - b)
		const amounts = amountsFor(masks)
		const maxDrop = context.parameters['max-drop']
		const { signal, onProgress } = context
		const choice = await choosePruning(model, places, order, amounts, data.valid!, {
			...{ maxDrop, signal },
			onProgress: (done, total) => onProgress?.('choose', done, total),
		})
		const chosenBy = `${choice.pruned} of ${masks.length} neurons: the most that lose at most ${maxDrop} points on clean validation images`
		return {
			points: [{ name: '', chosenBy, model: choice.model }],
			findings: { ...NO_FINDINGS, candidates: { quantity: 'neurons silenced', nets: [...choice.candidates] } },
		}
	},
})

/** How many neurons to try: as many as thresholds say, and some steps up to the first of them, where many masks may be 0. */
function amountsFor(masks: Float32Array): number[] {
	const counts = THRESHOLDS.map((threshold) => masks.filter((mask) => mask <= threshold).length)
	const first = counts.find((count) => count > 0) ?? 0
	const finer = Array.from({ length: FINER }, (_, i) => Math.round((first * (i + 1)) / FINER))
	return [...new Set([...finer, ...counts])].filter((count) => count > 0)
}

interface LearnedMasks {
	/** Of all places, one after another, each 0..1, as the last step left them. */
	readonly masks: Float32Array
	/** Their means over all steps: of two that ended at 0, the one that got there first stands lower. */
	readonly means: Float32Array
}

async function learnMasks(
	model: Model,
	places: readonly PruneLayer[],
	images: TrainingImages,
	{ parameters, seed, signal, onProgress }: RepairContext<typeof PARAMETERS>,
): Promise<LearnedMasks> {
	const { steps, lr, momentum, epsilon, alpha } = parameters
	const batch = Math.min(parameters.batch, images.count)
	const problem = await perturbationProblem(model, places, { batch, epsilon, alpha })
	const optimizer = sgd({ momentum })
	const ranges = new Map(problem.masks.map((name) => [name, { low: 0, high: 1 }]))
	const step = buildStep(problem, [problem.all], { optimizer, clip: null, masks: new Map(), ranges })
	const source = trainingBatches(images, batch, NO_AUGMENTATION, seed)
	const feedsOf = (number: number) => ({
		...labelledFeeds(model, images, source.batch(number)),
		...scalarFeeds(optimizer, number, lr),
	})
	const loop = await model.runtime.loadLoop(step.graph, step.carried)
	const means = new Float32Array(neuronCount(places))
	try {
		for await (const { done, results } of runSteps(loop, feedsOf, { from: 0, to: steps, signal })) {
			for (const [i, mask] of (results[problem.all]!.data as Float32Array).entries()) means[i]! += mask / steps
			onProgress?.('masks', done, steps)
		}
		const state = await loop.state()
		const masks = Float32Array.from(problem.masks.flatMap((name) => [...(state[name]!.data as Float32Array)]))
		return { masks, means }
	} finally {
		await loop.close()
	}
}
