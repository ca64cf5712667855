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
import { cleanAccuracy } from '../evaluate.ts'
import type { RepairContext, RepairData } from './method.ts'
import type { ParameterTable, Values } from './parameters.ts'

/** Steps of a tuning, and of the trial of a rate, unless epochs are told: docs/decisions/022. */
const STEPS = 300
const TRIAL_STEPS = 60
/** A trial that costs more points than this is of a rate that is far too large. */
const TRIAL_DROP = 10
/** Few images are known by heart after so many passes. */
const MAX_EPOCHS = 100

/**
 * Rates that are tried, largest first: a larger one moves further from the backdoor (Sha et al. 2022, "Fine-Tuning Is All You Need to Mitigate
 * Backdoor Attacks", arXiv:2212.09067), until the net forgets its task as well. The small ones are for nets that read pixels as 0..255.
 */
const RATES = [0.1, 0.06, 0.03, 0.02, 0.01, 6e-3, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6] as const

/** Whole runs, each with checkpoints of its own, that a search may make; it seldom makes more than two. */
export const TUNING_STAGES = RATES.length

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
	// A point of accuracy costs half a point of DER, a trigger that stays costs fifty.
	'max-drop': {
		meaning: 'points of clean validation accuracy that the chosen learning rate may cost',
		default: 3,
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

/**
 * `model` after training on `data.tuning`, at the rate that was told or, where that is 0, at the one that clean validation images choose.
 *
 * @throws InputError `diverged`; and as `train` does
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
		const run = await runWhole(setting, parameters.lr, options.stage)
		return { ...run, chosenBy: `after ${epochs} epochs at learning rate ${run.rate}`, candidates: null }
	}
	const { run, nets } = await searchRate(setting)
	const chosenBy = `after ${epochs} epochs at learning rate ${run.rate}, chosen by accuracy on ${run.valid.total} clean validation images`
	return { ...run, chosenBy, candidates: { quantity: 'learning rate', nets } }
}

interface Setting {
	readonly model: Model
	readonly data: RepairData
	readonly context: TuningContext
	readonly options: TuningOptions
	readonly epochs: number
}

/** A whole run and its accuracy at the end. */
interface Run extends TrainedModel {
	readonly rate: number
	readonly valid: CleanCount
}

/**
 * Whole runs from the largest rate on that a trial found bearable. The first that loses no more than `max-drop` is taken; where none does,
 * the best.
 *
 * @throws InputError `diverged` where all do
 */
async function searchRate(setting: Setting): Promise<{ readonly run: Run; readonly nets: Candidate[] }> {
	const { model, data, context, options } = setting
	const before = await cleanAccuracy(options.reference ?? model, data.valid!, { signal: context.signal })
	const { from, trials } = await tryRates(setting, before)
	const isGood = ({ valid }: Run) => pointsLost(before, valid) <= context.parameters['max-drop']
	const runs: Run[] = []
	let diverged: unknown = null
	for (const [i, rate] of RATES.slice(from).entries()) {
		if (runs.some(isGood)) break
		const run = await unlessDiverged(() => runWhole(setting, rate, options.stage + i))
		if (run instanceof InputError) diverged = run
		else runs.push(run)
	}
	if (runs.length === 0) throw diverged
	const best = runs.find(isGood) ?? runs.reduce((a, b) => (b.valid.correct > a.valid.correct ? b : a))
	const nets = [...trials.slice(0, from), ...runs].map(({ rate, valid }) => ({ amount: rate, valid }))
	return { run: best, nets: nets.filter((net): net is Candidate => net.valid !== null) }
}

/**
 * Short runs, from the largest rate down to the first that costs no more than `TRIAL_DROP` points: the whole run wins such a loss back.
 *
 * @returns the place of that rate in `RATES`, or of the least harmful one; `valid` is null for a rate that diverged
 * @throws InputError `diverged` where all do
 */
async function tryRates(setting: Setting, before: CleanCount) {
	const { data, context, options } = setting
	const trials: { readonly rate: number; readonly valid: CleanCount | null }[] = []
	let diverged: unknown = null
	for (const [i, rate] of RATES.entries()) {
		context.onProgress?.(`${options.name ?? 'tune'}: try learning rate ${rate}`, i, RATES.length)
		const trained = await unlessDiverged(() => runTrial(setting, rate))
		if (trained instanceof InputError) diverged = trained
		const valid =
			trained instanceof InputError ? null : await cleanAccuracy(trained.model, data.valid!, { signal: context.signal })
		trials.push({ rate, valid })
		if (valid && pointsLost(before, valid) <= TRIAL_DROP) return { from: i, trials }
	}
	const correct = trials.map(({ valid }) => valid?.correct ?? -1)
	const most = Math.max(...correct)
	if (most === -1) throw diverged
	return { from: correct.indexOf(most), trials }
}

/** @returns the error in place of throwing it, where it says that training diverged */
async function unlessDiverged<T>(run: () => Promise<T>): Promise<T | InputError> {
	try {
		return await run()
	} catch (error) {
		if (error instanceof InputError && error.code === 'diverged') return error
		throw error
	}
}

async function runWhole({ model, data, context, options, epochs }: Setting, rate: number, stage: number): Promise<Run> {
	const { signal, seed, checkpoints, onProgress, parameters } = context
	const trained = await train(model, data.tuning!, {
		...trainingOf(parameters, rate, seed),
		...problemOf(options),
		...{ epochs, signal },
		valid: data.valid!,
		checkpoints: checkpoints?.(stage),
		onProgress: ({ done, total }) => onProgress?.(options.name ?? 'tune', done, total),
	})
	// Measured after every epoch, so after the last one too.
	return { ...trained, rate, valid: trained.history.at(-1)!.valid! }
}

function runTrial({ model, data, context: { parameters, seed, signal }, options }: Setting, rate: number) {
	const epochs = epochsFor(TRIAL_STEPS, data.tuning!.count, parameters.batch)
	return train(model, data.tuning!, { ...trainingOf(parameters, rate, seed), ...problemOf(options), epochs, signal })
}

function problemOf({ masks, problem }: TuningOptions): Pick<TrainOptions, 'masks' | 'problem'> {
	return { ...(masks && { masks }), ...(problem && { problem }) }
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
