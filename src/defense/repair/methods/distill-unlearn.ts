/** Distillation against a backdoor: needs pictures, no labels. The net teaches itself all it knows, but for what reversed triggers do. */

import { pointsLost } from '../../../metrics/rates.ts'
import type { Model } from '../../../model/model.ts'
import { createRandom } from '../../../random.ts'
import { evaluateClean } from '../../evaluate.ts'
import { type InvertedTrigger, openInverter, type Wish } from '../../invert/invert-trigger.ts'
import { quarters } from '../../invert/start.ts'
import { RisingRate } from '../distill/rising-rate.ts'
import { openStudent, type Student } from '../distill/student.ts'
import { fitImages } from '../fit-images.ts'
import { defineMethod, NO_FINDINGS, type RepairContext, type RepairData, type UnlabeledImages } from '../method.ts'
import type { ParameterTable } from '../parameters.ts'
import { isLabelTold, LABEL_PARAMETERS, leftAlone, namedLabels, suspectedLabels } from '../suspected.ts'

/** Second name of the random stream. */
const STREAM = 64
/** Images of an inversion's step, each of which gets every trigger that is sought side by side. */
const INVERSION_BATCH = 8
/** Fewer steps than this a lesson, and what the first triggers did is not forgotten. */
const LEAST_STEPS = 40
/** Rounds that always run. The second one's triggers are large already, but without it the sunglasses of CSAW's net still work on a few faces. */
const LEAST_ROUNDS = 2
/** So many of the most suspicious labels are looked at closely, whether or not their index says that they are suspects. */
const CANDIDATES = 3
/**
 * Of these only such stay whose smallest trigger is at most this share of what is usual. Measured: 0.02 to 0.39 for targets of backdoored nets, 0.26 to
 * 0.6 for the smallest labels of honest ones (docs/decisions/024): better to work in vain than to spare a target.
 */
const CLOSE = 0.4
/** And at most so many times as large as the smallest of all. */
const RIVALS = 1.25
/** Learning rate at the start of the last lesson, as a share of the largest that was needed. */
const LAST_RATE = 0.4

const PARAMETERS = {
	...LABEL_PARAMETERS,
	rounds: {
		meaning: 'inversions of each suspected label, each followed by unlearning; fewer where triggers are large already',
		default: 4,
		low: 1,
		high: 100,
		isWhole: true,
	},
	starts: { meaning: 'triggers that an inversion looks for side by side', default: 8, low: 1, high: 64, isWhole: true },
	'invert-steps': { meaning: 'steps of an inversion', default: 150, low: 1, high: 100_000, isWhole: true },
	steps: { meaning: 'steps of unlearning in a round, at most', default: 120, low: 1, high: 100_000, isWhole: true },
	'last-steps': {
		meaning: 'steps at the end, at a falling rate, without new triggers',
		default: 400,
		low: 1,
		high: 100_000,
		isWhole: true,
	},
	share: { meaning: 'share of the pictures that get a trigger', default: 0.33, low: 0.01, high: 0.99 },
	'max-drop': {
		meaning:
			'points of clean validation accuracy that unlearning may cost, where such images are given; else the net stays as it was',
		default: 4,
		low: 0,
		high: 100,
	},
	batch: { meaning: 'pictures a step', default: 64, low: 2, high: 4096, isWhole: true },
} as const satisfies ParameterTable

type Context = RepairContext<typeof PARAMETERS>

export const distillUnlearn = defineMethod({
	name: 'distill-unlearn',
	summary:
		'reverses triggers of suspected labels again and again and unlearns them, while the net as it came teaches it all else on unlabelled pictures (after Wang et al. 2019, section VI.B, and Hinton et al. 2015)',
	needs: ['unlabeled'],
	parameters: PARAMETERS,
	isOracle: isLabelTold,
	async repair(model, data, context) {
		const images = fitImages(data.unlabeled!, model)
		const { labels, byMargin, usualNorm, findings } = await suspectedLabels(model, images, context)
		const found = { ...NO_FINDINGS, suspects: findings }
		// An index of 2 is a convention, which honest nets exceed and backdoored ones miss: what counts is the close look.
		const closest = findings?.labels.slice(0, CANDIDATES).map(({ label }) => label) ?? []
		const isTold = isLabelTold(context.parameters)
		const candidates = isTold ? labels : [...new Set([...labels, ...closest, ...byMargin])]
		// Among a thousand labels, to work in vain against two costs the others little; to spare the target costs all.
		const certain = isTold ? labels : byMargin
		const search = { candidates, certain, usualNorm }
		const { student, rounds, targets } = await unlearnTriggers(model, images, search, context)
		if (targets.length === 0) return leftAlone(model, found)
		const against = `against ${namedLabels(targets)}`
		const lost = await accuracyLost(model, student.model, data, context)
		// What an honest net loses with a label's trigger is what it knows that label by.
		if (lost > context.parameters['max-drop']) {
			return leftAlone(model, found, `unlearning ${against} costs ${lost.toFixed(1)} points`)
		}
		const chosenBy = `after ${rounds} ${rounds === 1 ? 'round' : 'rounds'} ${against}`
		return { points: [{ name: '', chosenBy, model: student.model }], findings: found }
	},
})

/** Points of clean validation accuracy; 0 where there are no such images. */
async function accuracyLost(
	model: Model,
	repaired: Model,
	{ valid }: RepairData,
	{ signal }: Pick<Context, 'signal'>,
): Promise<number> {
	if (!valid) return 0
	const [before, after] = [
		await evaluateClean(model, valid, { signal }),
		await evaluateClean(repaired, valid, { signal }),
	]
	return pointsLost(before, after)
}

/** Whom to work against: `certain` ones in any case, and the other candidates where a close look says so. */
interface Search {
	readonly candidates: readonly number[]
	readonly certain: readonly number[]
	/** See `Suspected`. */
	readonly usualNorm: number
}

/** Rounds of inversion on the net as it is by then and of unlearning, then a last lesson at a falling rate. */
async function unlearnTriggers(
	model: Model,
	images: UnlabeledImages,
	{ candidates, certain, usualNorm }: Search,
	{ parameters, seed, signal, onProgress }: Context,
): Promise<{ student: Student; rounds: number; targets: readonly number[] }> {
	const random = createRandom(seed, STREAM, 0)
	const inverter = await openInverter(model, { batch: INVERSION_BATCH, sideBySide: parameters.starts })
	const student = await openStudent(model, parameters)
	const triggers: InvertedTrigger[] = []
	let targets = candidates
	let fastest = 0
	let rounds = 0
	for (; rounds < parameters.rounds; rounds++) {
		const wishes = targets.flatMap((label) => wishesFor(label, model, parameters.starts))
		const found = await inverter.invertMany(images, wishes, {
			...{ steps: parameters['invert-steps'], seed: seed + rounds, model: student.model, signal },
			onProgress: (done, total) => onProgress?.(`round ${rounds + 1}: invert`, done, total),
		})
		if (rounds === 0) targets = [...new Set([...certain, ...suspectsAmong(targets, found, usualNorm)])]
		if (targets.length === 0) return { student, rounds, targets }
		const fresh = found.filter(({ label }) => targets.includes(label))
		if (rounds >= LEAST_ROUNDS && !fresh.some((trigger) => isSuspicious(trigger, usualNorm))) break
		triggers.push(...fresh)
		const rate = new RisingRate()
		await student.learn({
			// New triggers are half of what is unlearned, however many old ones there are.
			...{ images, triggers: [...triggers, ...repeated(fresh, triggers.length - fresh.length)] },
			...{ random, signal, steps: parameters.steps },
			rateOf: () => rate.rate,
			observe: (share, step) => {
				rate.observe(share)
				return rate.isDone && step >= LEAST_STEPS
			},
			onProgress: (done, total) => onProgress?.(`round ${rounds + 1}: unlearn`, done, total),
		})
		fastest = Math.max(fastest, rate.top)
	}
	const steps = parameters['last-steps']
	await student.learn({
		...{ images, triggers, random, signal, steps },
		rateOf: (step) => LAST_RATE * fastest * (1 - step / steps),
		onProgress: (done, total) => onProgress?.('last lesson', done, total),
	})
	return { student, rounds, targets }
}

/**
 * Half of the starts within a quarter of the image each, half anywhere: from everywhere at once descent finds one place at which a net is weak, and
 * a patch in a corner stays unseen.
 */
function wishesFor(label: number, { input }: Model, starts: number): Wish[] {
	const regions = quarters(input)
	return Array.from({ length: starts }, (_, i) => {
		const region = i % 2 === 0 ? regions[(i / 2) % regions.length] : undefined
		return region ? { label, region } : { label }
	})
}

/** The labels whose smallest trigger is far smaller than usual, and about as small as the smallest of all. */
function suspectsAmong(labels: readonly number[], found: readonly InvertedTrigger[], usualNorm: number): number[] {
	const sizeOf = (label: number) => {
		const reached = found.filter((trigger) => trigger.label === label && trigger.isReached)
		return reached.reduce((least, { norm }) => Math.min(least, norm), Number.POSITIVE_INFINITY)
	}
	const limit = Math.min(CLOSE * usualNorm, RIVALS * Math.min(...labels.map(sizeOf)))
	return labels.filter((label) => sizeOf(label) <= limit)
}

function isSuspicious({ isReached, norm }: InvertedTrigger, usualNorm: number): boolean {
	return isReached && norm < usualNorm
}

/** `items` again and again, `count` in all. */
function repeated<T>(items: readonly T[], count: number): T[] {
	return Array.from({ length: count }, (_, i) => items[i % items.length]!)
}
