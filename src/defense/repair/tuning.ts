/** What all methods that train share: the parameters of training, and their defaults. */
import { NO_AUGMENTATION } from '../../train/augment.ts'
import type { TrainOptions } from '../../train/options.ts'
import { scheduleOf } from '../../train/schedule.ts'
import { sgd } from '../../train/sgd.ts'
import type { RepairContext, RepairData } from './method.ts'
import type { ParameterTable } from './parameters.ts'

/** SGD as BackdoorBench tunes (Wu et al. 2022, arXiv:2206.12654, appendix B). */
export const TUNING_PARAMETERS = {
	epochs: { meaning: 'passes over the tuning images', default: 20, low: 1, high: 10_000, isWhole: true },
	lr: { meaning: 'learning rate', default: 0.01, low: 1e-9, high: 100 },
	batch: { meaning: 'images a step', default: 64, low: 1, high: 4096, isWhole: true },
	momentum: { meaning: 'momentum of SGD', default: 0.9, low: 0, high: 0.999 },
	decay: { meaning: 'weight decay', default: 0.0005, low: 0, high: 1 },
} as const satisfies ParameterTable

/** `train`'s options for a method with these parameters. */
export function tuningOptions(
	{ valid }: RepairData,
	{ parameters, seed, signal, checkpoints, onProgress }: RepairContext<typeof TUNING_PARAMETERS>,
): TrainOptions {
	const { epochs, lr: rate, batch, momentum, decay: weightDecay } = parameters
	return {
		...{ epochs, batch, rate, seed, signal },
		schedule: scheduleOf('cosine'),
		optimizer: sgd({ momentum, weightDecay }),
		augmentation: NO_AUGMENTATION,
		valid: valid ?? undefined,
		checkpoints: checkpoints?.(1),
		onProgress: ({ done, total }) => onProgress?.('tune', done, total),
	}
}
