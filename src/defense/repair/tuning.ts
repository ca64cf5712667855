/** What all methods share that train the whole net on labels: the parameters of training, and the rate, which clean validation images choose. */

import type { RepairFindings } from '../../contracts/repair-run.ts'
import type { EpochRecord } from '../../contracts/training.ts'
import { InputError } from '../../errors.ts'
import { dropReached } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import { NO_AUGMENTATION } from '../../train/augment.ts'
import type { TrainOptions } from '../../train/options.ts'
import { scheduleOf } from '../../train/schedule.ts'
import { sgd } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import { evaluateClean } from '../evaluate.ts'
import type { RepairContext, RepairData } from './method.ts'
import type { ParameterTable, Values } from './parameters.ts'

/** Steps of a tuning, and of the trial of a rate, unless epochs are told: docs/decisions/022. */
const STEPS = 400
const TRIAL_STEPS = 60
/** Few images are known by heart after so many passes. */
const MAX_EPOCHS = 100

/**
 * Rates that are tried, largest first: a larger one moves further from the backdoor (Sha et al. 2022, "Fine-Tuning Is All You Need to Mitigate
 * Backdoor Attacks", arXiv:2212.09067), until the net forgets its task as well. The small ones are for nets that read pixels as 0..255.
 */
const RATES = [0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6] as const

/** SGD as BackdoorBench tunes (Wu et al. 2022, arXiv:2206.12654, appendix B), but for the number of steps and the rate. */
export const TUNING_PARAMETERS = {
	epochs: {
		meaning: `passes over the tuning images; 0: as many as make ${STEPS} steps, at most ${MAX_EPOCHS}`,
		default: 0,
		low: 0,
		high: 10_000,
		isWhole: true,
	},
	lr: { meaning: 'learning rate; 0: the largest that costs no more than max-drop', default: 0, low: 0, high: 100 },
	'max-drop': {
		meaning: 'points of clean validation accuracy that the chosen learning rate may cost in a short trial',
		default: 2,
		low: 0,
		high: 100,
	},
	batch: { meaning: 'images a step', default: 64, low: 1, high: 4096, isWhole: true },
	momentum: { meaning: 'momentum of SGD', default: 0.9, low: 0, high: 0.999 },
	decay: { meaning: 'weight decay', default: 0.0005, low: 0, high: 1 },
} as const satisfies ParameterTable

type TuningContext = Omit<RepairContext, 'parameters'> & { readonly parameters: Values<typeof TUNING_PARAMETERS> }

export interface TuningOptions extends Pick<TrainOptions, 'masks' | 'problem'> {
	/** Of its checkpoints, counted from 1. */
	readonly stage: number
	/** For the progress bar; default `tune`. */
	readonly name?: string
}

export interface Tuned {
	readonly model: Model
	readonly history: readonly EpochRecord[]
	readonly rate: number
	/** By what it was chosen, in words. */
	readonly chosenBy: string
	/** The rates that were tried; null where it was told. */
	readonly candidates: RepairFindings['candidates']
}

/**
 * `model` after training on `data.tuning`, at the rate that was told or, where that is 0, at the one that `chooseRate` finds.
 *
 * @throws InputError `diverged`; and as `train` does
 */
export async function tune(
	model: Model,
	data: RepairData,
	context: TuningContext,
	options: TuningOptions,
): Promise<Tuned> {
	const { lr } = context.parameters
	const { rate, candidates } = lr > 0 ? { rate: lr, candidates: null } : await chooseRate(model, data, context, options)
	const { name = 'tune', stage, ...rest } = options
	const { tuning } = data as Required<RepairData>
	const epochs = context.parameters.epochs || epochsFor(STEPS, tuning!.count, context.parameters.batch)
	const { signal, checkpoints, onProgress } = context
	const tuned = await train(model, tuning!, {
		...trainingOf(context.parameters, rate, context.seed),
		...{ ...rest, epochs, signal },
		valid: data.valid ?? undefined,
		checkpoints: checkpoints?.(stage),
		onProgress: ({ done, total }) => onProgress?.(name, done, total),
	})
	const how = candidates ? 'the largest that clean validation images allow' : 'as told'
	return { ...tuned, rate, candidates, chosenBy: `after ${epochs} epochs at learning rate ${rate}, ${how}` }
}

/**
 * The largest of `RATES` at which a short trial costs at most `max-drop` points of clean validation accuracy: short, because what a rate destroys it
 * destroys at once, and what it heals later is won. Where none does, the one that costs least.
 */
async function chooseRate(
	model: Model,
	data: RepairData,
	context: TuningContext,
	{ masks, problem, name = 'tune' }: TuningOptions,
) {
	const { parameters, signal, seed, onProgress } = context
	const { tuning, valid } = data
	const before = await evaluateClean(model, valid!, { signal })
	const epochs = epochsFor(TRIAL_STEPS, tuning!.count, parameters.batch)
	const nets: { amount: number; valid: { correct: number; total: number } }[] = []
	let diverged: InputError | null = null
	for (const [i, rate] of RATES.entries()) {
		onProgress?.(`${name}: try learning rate ${rate}`, i, RATES.length)
		try {
			const trial = {
				...trainingOf(parameters, rate, seed),
				epochs,
				signal,
				...(masks && { masks }),
				...(problem && { problem }),
			}
			const { model: tried } = await train(model, tuning!, trial)
			const { correct, total } = await evaluateClean(tried, valid!, { signal })
			nets.push({ amount: rate, valid: { correct, total } })
			if (!dropReached(before.correct, correct + 1, total, parameters['max-drop'])) break
		} catch (error) {
			if (!(error instanceof InputError && error.code === 'diverged')) throw error
			diverged = error
		}
	}
	const best = nets.at(-1)
	if (!best) throw diverged
	return { rate: best.amount, candidates: { quantity: 'learning rate', nets } }
}

function trainingOf({ batch, momentum, decay: weightDecay }: TuningContext['parameters'], rate: number, seed: number) {
	return {
		...{ batch, rate, seed },
		schedule: scheduleOf('cosine'),
		optimizer: sgd({ momentum, weightDecay }),
		augmentation: NO_AUGMENTATION,
	}
}

/** Passes over `count` images that make about `steps` steps. */
function epochsFor(steps: number, count: number, batch: number): number {
	const stepsPerEpoch = Math.floor(count / Math.min(batch, count))
	return Math.min(MAX_EPOCHS, Math.ceil(steps / stepsPerEpoch))
}
