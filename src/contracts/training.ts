/** What is recorded of a training run. */
import { z } from 'zod'
import { CleanCount } from './prune-run.ts'

export const OptimizerName = z.enum(['sgd', 'adam', 'adamw'])

/** How the learning rate goes over the run. */
export const ScheduleName = z.enum(['constant', 'cosine', 'multi-step', 'one-cycle'])

/** One pass over the training images. */
export const EpochRecord = z.object({
	/** Counted from 1. */
	epoch: z.number().int().positive(),
	/** Mean over the epoch, in training form. */
	loss: z.number(),
	/** Augmented images as they went by, while the weights changed. */
	train: CleanCount,
	/** On clean images, after the epoch; null where none were given. */
	valid: CleanCount.nullable(),
})

export type EpochRecord = z.infer<typeof EpochRecord>
export type OptimizerName = z.infer<typeof OptimizerName>
export type ScheduleName = z.infer<typeof ScheduleName>
