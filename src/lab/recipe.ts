/** How a net of the lab is trained: everything that decides what training does, as plain data for records and for `--resume`. */
import type { OptimizerName, ScheduleName } from '../contracts/training.ts'
import { adam } from '../train/adam.ts'
import type { Augmentation } from '../train/augment.ts'
import type { Optimizer } from '../train/optimizer.ts'
import type { TrainOptions } from '../train/options.ts'
import { scheduleOf } from '../train/schedule.ts'
import { sgd } from '../train/sgd.ts'

export interface Recipe {
	readonly optimizer: OptimizerName
	/** Learning rate at the schedule's height. */
	readonly learningRate: number
	readonly schedule: ScheduleName
	/** Of sgd: μ. */
	readonly momentum: number
	/** Of sgd. */
	readonly nesterov: boolean
	readonly weightDecay: number
	readonly epochs: number
	readonly batch: number
	/** Label smoothing ε. */
	readonly smoothing: number
	/** Greatest norm of the gradient; null for no limit. */
	readonly clip: number | null
	readonly augmentation: Augmentation
	/** Epochs without a better result on held-out clean images after which training stops; null for never. */
	readonly patience: number | null
}

/** What reaches the figures of `docs/results.md` on two cores, unless it is told otherwise. */
export const DEFAULT_RECIPE: Recipe = {
	optimizer: 'adam',
	learningRate: 0.001,
	schedule: 'cosine',
	momentum: 0.9,
	nesterov: false,
	weightDecay: 0,
	epochs: 10,
	batch: 64,
	smoothing: 0,
	clip: null,
	augmentation: { crop: 0, flip: false, cutout: 0 },
	patience: null,
}

/** The recipe as `train` takes it. */
export function trainOptionsOf(recipe: Recipe, seed: number): Omit<TrainOptions, 'signal' | 'onProgress'> {
	const { epochs, batch, learningRate: rate, smoothing, clip, augmentation, patience } = recipe
	const schedule = scheduleOf(recipe.schedule)
	return {
		epochs,
		batch,
		rate,
		smoothing,
		clip,
		augmentation,
		patience,
		schedule,
		seed,
		optimizer: optimizerOf(recipe),
	}
}

function optimizerOf({ optimizer, momentum, nesterov, weightDecay }: Recipe): Optimizer {
	switch (optimizer) {
		case 'sgd':
			return sgd({ momentum, nesterov, weightDecay })
		case 'adam':
			return adam({ weightDecay })
		case 'adamw':
			return adam({ weightDecay, isDecoupled: true })
	}
}
