/** What all methods share that train the whole net on labels: the parameters of training, and the rate, which clean validation images choose. */

import type { z } from 'zod'
import type { CleanCount } from '../../contracts/prune-run.ts'
import type { CandidateRecord, RepairFindings } from '../../contracts/repair-run.ts'
import type { EpochRecord } from '../../contracts/training.ts'
import { InputError } from '../../errors.ts'
import { pointsLost } from '../../metrics/rates.ts'
import type { Model } from '../../model/model.ts'
import { NO_AUGMENTATION } from '../../train/augment.ts'
import type { TrainOptions } from '../../train/options.ts'
import { scheduleOf } from '../../train/schedule.ts'
import { sgd } from '../../train/sgd.ts'
import { type TrainedModel, train } from '../../train/train.ts'
import { evaluateClean } from '../evaluate.ts'
import type { RepairContext, RepairData } from './method.ts'
import type { ParameterTable, Values } from './parameters.ts'

/** Steps of a tuning, and of the trial of a rate, unless epochs are told: docs/decisions/022. */
const STEPS = 400
const TRIAL_STEPS = 60
/** A trial that costs more points than this is of a rate that is far too large. */
const TRIAL_DROP = 10
/** Whole runs, each with checkpoints of its own, that a search may make. */
export const TUNING_STAGES = 3
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
		meaning: 'points of clean validation accuracy that the chosen learning rate may cost',
		default: 2,
		low: 0,
		high: 100,
	},
	batch: { meaning: 'images a step', default: 64, low: 1, high: 4096, isWhole: true },
	momentum: { meaning: 'momentum of SGD', default: 0.9, low: 0, high: 0.999 },
	decay: { meaning: 'weight decay', default: 0.0005, low: 0, high: 1 },
} as const satisfies ParameterTable

type Candidate = z.infer<typeof CandidateRecord>
type TuningContext = Omit<RepairContext, 'parameters'> & { readonly parameters: Values<typeof TUNING_PARAMETERS> }

export interface TuningOptions extends Pick<TrainOptions, 'masks' | 'problem'> {
	/** Number of the first of `TUNING_STAGES` stages of checkpoints. */
	readonly stage: number
	/** The net whose accuracy counts; default: the one that is tuned. A pruned net is already worse than the one that it was. */
	readonly reference?: Model
	/** For the progress bar; default `tune`. */
	readonly name?: string
}

export interface Tuned {
	readonly model: Model
	readonly history: readonly EpochRecord[]
	readonly rate: number
	/** By what it was chosen, in words. */
	readonly chosenBy: string
	/** The rates that were tried, with the accuracy of their nets: after a trial where that was bad enough. Null where the rate was told. */
	readonly candidates: RepairFindings['candidates']
}

/** A whole run, and what it cost. */
interface Run extends TrainedModel {
	readonly rate: number
	readonly valid: CleanCount
}

/**
 * `model` after training on `data.tuning`, at the rate that was told or, where that is 0, at the largest whose net loses no more than `max-drop` points of
 * clean validation accuracy; where none is found, at the one of those run whole that loses least.
 *
 * @throws InputError `diverged` where every rate does; and as `train` does
 */
export async function tune(
	model: Model,
	data: RepairData,
	context: TuningContext,
	options: TuningOptions,
): Promise<Tuned> {
	const { parameters } = context
	const epochs = parameters.epochs || epochsFor(STEPS, data.tuning!.count, parameters.batch)
	const setting = { model, data, context, options, epochs }
	if (parameters.lr > 0) {
		const trained = await runWhole(setting, parameters.lr, options.stage)
		const chosenBy = `after ${epochs} epochs at learning rate ${parameters.lr}`
		return { ...trained, rate: parameters.lr, chosenBy, candidates: null }
	}
	const { run, candidates } = await searchRate(setting)
	const { count } = data.valid!
	const chosenBy = `after ${epochs} epochs at learning rate ${run.rate}, chosen by accuracy on ${count} clean validation images`
	return { ...run, chosenBy, candidates: { quantity: 'learning rate', nets: candidates } }
}

interface Setting {
	readonly model: Model
	readonly data: RepairData
	readonly context: TuningContext
	readonly options: TuningOptions
	readonly epochs: number
}

/**
 * From the largest rate down: a short trial says which are far too large, then whole runs follow. What a trial costs is mostly won back by a whole run.
 * @throws InputError `diverged`
 */
async function searchRate(setting: Setting): Promise<{ readonly run: Run; readonly candidates: Candidate[] }> {
	const { model, data, context, options } = setting
	const { signal, onProgress } = context
	const before = await countClean(options.reference ?? model, data, signal)
	const candidates: Candidate[] = []
	const runs: Run[] = []
	let diverged: unknown = null
	for (const [i, rate] of RATES.entries()) {
		onProgress?.(`${options.name ?? 'tune'}: try learning rate ${rate}`, i, RATES.length)
		try {
			if (runs.length === 0) {
				const { model: tried } = await runTrial(setting, rate)
				const valid = await countClean(tried, data, signal)
				if (pointsLost(before, valid) > TRIAL_DROP) {
					candidates.push({ amount: rate, valid })
					continue
				}
			}
			const trained = await runWhole(setting, rate, options.stage + runs.length)
			const valid = await countClean(trained.model, data, signal)
			candidates.push({ amount: rate, valid })
			runs.push({ ...trained, rate, valid })
			if (pointsLost(before, valid) <= context.parameters['max-drop'] || runs.length === TUNING_STAGES) break
		} catch (error) {
			if (!(error instanceof InputError && error.code === 'diverged')) throw error
			diverged = error
		}
	}
	const [first, ...others] = runs
	if (!first) throw diverged
	// The last is the first that loses little; where none does, the best one has to do.
	const isGood = pointsLost(before, runs.at(-1)!.valid) <= context.parameters['max-drop']
	const best = others.reduce((a, b) => (b.valid.correct > a.valid.correct ? b : a), first)
	return { run: isGood ? runs.at(-1)! : best, candidates }
}

function runWhole(
	{ model, data, context, options, epochs }: Setting,
	rate: number,
	stage: number,
): Promise<TrainedModel> {
	const { signal, seed, checkpoints, onProgress, parameters } = context
	return train(model, data.tuning!, {
		...trainingOf(parameters, rate, seed),
		...problemOf(options),
		...{ epochs, signal },
		valid: data.valid ?? undefined,
		checkpoints: checkpoints?.(stage),
		onProgress: ({ done, total }) => onProgress?.(options.name ?? 'tune', done, total),
	})
}

function runTrial({ model, data, context: { parameters, seed, signal }, options }: Setting, rate: number) {
	const epochs = epochsFor(TRIAL_STEPS, data.tuning!.count, parameters.batch)
	return train(model, data.tuning!, { ...trainingOf(parameters, rate, seed), ...problemOf(options), epochs, signal })
}

function problemOf({ masks, problem }: TuningOptions): Pick<TrainOptions, 'masks' | 'problem'> {
	return { ...(masks && { masks }), ...(problem && { problem }) }
}

async function countClean(model: Model, { valid }: RepairData, signal: AbortSignal | undefined): Promise<CleanCount> {
	const { correct, total } = await evaluateClean(model, valid!, { signal })
	return { correct, total }
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
