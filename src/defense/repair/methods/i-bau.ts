/** I-BAU: the net unlearns the one perturbation that misleads it most, again and again, without looking for a label. */
import { preprocess } from '../../../data/preprocess.ts'
import type { Model } from '../../../model/model.ts'
import { createRandom } from '../../../random.ts'
import type { Feed, Loop } from '../../../runtime/runtime.ts'
import { adam } from '../../../train/adam.ts'
import { NO_AUGMENTATION } from '../../../train/augment.ts'
import { type BatchSource, type TrainingImages, trainingBatches } from '../../../train/batches.ts'
import { divergedAt, firstNotFinite } from '../../../train/diverged.ts'
import { LABELS } from '../../../train/problem.ts'
import { runSteps, scalarFeeds } from '../../../train/run-steps.ts'
import { sgd } from '../../../train/sgd.ts'
import { buildStep, type Step } from '../../../train/step.ts'
import { withWeights } from '../../../train/weights.ts'
import { withWeightsOf } from '../../invert/invert-trigger.ts'
import { imagesDims } from '../../invert/planes.ts'
import { defineMethod, NO_FINDINGS, type RepairContext } from '../method.ts'
import type { ParameterTable } from '../parameters.ts'
import { IMAGES, innerProblem, outerProblem, PERTURBATION, PERTURBED } from '../universal/universal-problem.ts'

/** Second name of the random stream. */
const STREAM = 63
/** The authors bound ‖δ‖₂ by 10 on images of 3 × 32 × 32; other sizes in proportion to the root of their values. */
const REFERENCE_VALUES = 3 * 32 * 32

const PARAMETERS = {
	rounds: { meaning: 'perturbations that are looked for and unlearned', default: 5, low: 1, high: 1000, isWhole: true },
	'inner-lr': { meaning: 'learning rate of the perturbation', default: 10, low: 1e-9, high: 1e6 },
	bound: {
		meaning: 'greatest L2 norm of the perturbation, pixels 0..1, at 3×32×32 values',
		default: 10,
		low: 1e-9,
		high: 1e6,
	},
	lr: { meaning: 'learning rate of Adam on the weights', default: 0.001, low: 1e-9, high: 100 },
	batch: { meaning: 'images a step', default: 64, low: 2, high: 4096, isWhole: true },
	share: { meaning: 'share of the images of a step that are perturbed', default: 0.5, low: 0, high: 1 },
	iterations: {
		meaning: 'iterations of the implicit term (the authors take 5), each as long as two steps; -1: without it',
		default: 0,
		low: -1,
		high: 50,
		isWhole: true,
	},
} as const satisfies ParameterTable

/** Rate of the descent whose fixed point the implicit term is taken at; the authors' code. */
const FIXED_POINT_RATE = 0.1

export const iBau = defineMethod({
	name: 'i-bau',
	summary: 'unlearns the universal perturbation that misleads the net most (Zeng et al. 2022, arXiv:2110.03735)',
	needs: ['tuning', 'valid'],
	parameters: PARAMETERS,
	async repair(model, data, context) {
		const images = data.tuning!
		const { rounds, iterations, lr } = context.parameters
		const batch = Math.min(context.parameters.batch, images.count)
		const source = trainingBatches(images, batch, NO_AUGMENTATION, context.seed)
		const inner = await innerStep(model, batch)
		const outer = await outerStep(model, batch, iterations)
		const setting = { ...{ model, images, source, batch, context } }
		const loop = await model.runtime.loadLoop(outer.graph, outer.carried)
		let current = model
		try {
			for (let round = 0; round < rounds; round++) {
				const perturbation = await worstPerturbation(setting, inner, current, round)
				await unlearnPerturbation(setting, loop, perturbation, round)
				const state = await loop.state()
				const bad = firstNotFinite(state)
				const step = (round + 1) * source.stepsPerEpoch
				if (bad !== null)
					throw divergedAt({ step, epoch: round + 1, rate: lr, largestInput: 1 }, `${bad} is not finite`)
				current = withWeights(model, Object.fromEntries(outer.learned.map((name) => [name, state[name]!])))
			}
		} finally {
			await loop.close()
		}
		return { points: [{ name: '', chosenBy: `after ${rounds} rounds`, model: current }], findings: NO_FINDINGS }
	},
})

interface Setting {
	readonly model: Model
	readonly images: TrainingImages
	readonly source: BatchSource
	readonly batch: number
	readonly context: RepairContext<typeof PARAMETERS>
}

const ASCENT = sgd({ momentum: 0 })
const DESCENT = adam()

async function innerStep(model: Model, batch: number): Promise<Step> {
	const problem = await innerProblem(model, batch)
	return buildStep(problem, [problem.loss], { optimizer: ASCENT, clip: null, masks: new Map() })
}

async function outerStep(model: Model, batch: number, iterations: number): Promise<Step> {
	const wished = iterations === -1 ? null : iterations
	const problem = await outerProblem(model, { batch, rate: FIXED_POINT_RATE, iterations: wished })
	return buildStep(problem, [problem.loss], { optimizer: DESCENT, clip: null, masks: new Map() })
}

/** One pass over the tuning images, up the loss of the net as it is now; then back into the ball. */
async function worstPerturbation(setting: Setting, inner: Step, current: Model, round: number): Promise<Feed> {
	const { model, source, batch, context } = setting
	const { signal, parameters, onProgress } = context
	const loop = await model.runtime.loadLoop(withWeightsOf(inner.graph, current.graph), inner.carried)
	const first = 2 * round * source.stepsPerEpoch
	const everyImage = new Float32Array(batch).fill(1)
	const feedsOf = (number: number) => ({
		...imageFeeds(setting, first + number, everyImage.slice()),
		...scalarFeeds(ASCENT, number, parameters['inner-lr']),
	})
	try {
		for await (const { done } of runSteps(loop, feedsOf, { from: 0, to: source.stepsPerEpoch, signal })) {
			onProgress?.(`round ${round + 1}: perturb`, done, source.stepsPerEpoch)
		}
		const { dims, data } = (await loop.state())[PERTURBATION]!
		const values = data as Float32Array
		const norm = Math.hypot(...values)
		const bound = parameters.bound * Math.sqrt(values.length / REFERENCE_VALUES)
		return { dims, data: values.map((value) => value * Math.min(1, bound / norm)) }
	} finally {
		await loop.close()
	}
}

/** One pass over the tuning images, down the loss of the perturbed ones. */
async function unlearnPerturbation(setting: Setting, loop: Loop, perturbation: Feed, round: number): Promise<void> {
	const { source, batch, context } = setting
	const { signal, parameters, seed, onProgress } = context
	const { stepsPerEpoch } = source
	const feedsOf = (number: number) => {
		const random = createRandom(seed, STREAM, round * stepsPerEpoch + number)
		const perturbed = Float32Array.from({ length: batch }, () => Number(random.unit() < parameters.share))
		return {
			...imageFeeds(setting, (2 * round + 1) * stepsPerEpoch + number, perturbed),
			[PERTURBATION]: { ...perturbation, data: perturbation.data.slice() },
			...scalarFeeds(DESCENT, round * stepsPerEpoch + number, parameters.lr),
		}
	}
	for await (const { done } of runSteps(loop, feedsOf, { from: 0, to: stepsPerEpoch, signal })) {
		onProgress?.(`round ${round + 1}: unlearn`, done, stepsPerEpoch)
	}
}

function imageFeeds({ model, images, source, batch }: Setting, number: number, perturbed: Float32Array) {
	const { images: drawn, labels } = source.batch(number)
	const data = preprocess(drawn, { ...images, layout: 'NHWC' }, model.input, model.preprocessing)
	const dims = imagesDims(model.input, batch)
	return {
		[IMAGES]: { dims, data },
		[LABELS]: { dims: [batch], data: labels },
		[PERTURBED]: { dims: dims.map((_, axis) => (axis === 0 ? batch : 1)), data: perturbed },
	}
}
