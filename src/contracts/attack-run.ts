/** What the attack lab records: `goodnet/attack@1` (`attack.json` of a trained net) and `goodnet/stamp@1` (`attack stamp`). */
import { z } from 'zod'
import { CleanCount, EnvironmentRecord, PoisonedCount, PreprocessingRecord } from './prune-run.ts'
import { EpochRecord } from './training.ts'

const count = z.number().int().nonnegative()

/** A value of an option. */
const setting = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())])

const file = z.object({ path: z.string(), sha256: z.string() })

/** Every attack of the lab; `none` makes the clean twin. */
export const AttackName = z.enum([
	'none',
	'badnets',
	'sticker',
	'blended',
	'sig',
	'wanet',
	'low-frequency',
	'bpp',
	'all-to-all',
	'tact',
	'adaptive-blend',
	'pruning-aware',
])

/** The patches of the BadNets paper: a filled square, or its four single pixels. */
export const PatchPattern = z.enum(['square', 'four-pixels'])

/** Where a patch stands: a corner of the image, or its centre. */
export const PatchPosition = z.enum(['top-left', 'top-right', 'bottom-left', 'bottom-right', 'center'])

/** The attack with all that is needed to make it again. */
export const AttackRecord = z.object({
	name: AttackName,
	/** Options by name, defaults included. A `picture` is named by its path. */
	parameters: z.record(z.string(), setting),
	/** Null where there is not one for all images. */
	target: count.nullable(),
	/** The picture that the trigger was made from. */
	picture: file.nullable(),
})

/** Images of the training set: poisoned ones, and covers, which wear a trigger and keep their label. */
export const PoisoningCount = z.object({ poisoned: count, covers: count, total: count })

/** A set as read. */
export const ImagesRecord = file.extend({ images: count })

/** `attack.json`: a net trained on a poisoned set, or for `none` its clean twin. */
export const AttackRun = z.object({
	schema: z.literal('goodnet/attack@1'),
	/** The command line that made this run. */
	command: z.string(),
	attack: AttackRecord,
	/** How much of the training set was poisoned. */
	poisoning: PoisoningCount,
	data: z.object({ train: ImagesRecord, test: ImagesRecord }),
	architecture: z.object({
		name: z.string(),
		inputShape: z.array(count),
		classes: count,
		parameters: count,
	}),
	preprocessing: PreprocessingRecord,
	/** Optimiser, schedule, epochs, batch size, augmentation and whatever else decides what training does, by name. */
	training: z.record(z.string(), z.union([setting, z.record(z.string(), setting), z.null()])),
	/** What the pruning-aware attack pruned and put back: null for every other. */
	pruning: z.object({ layer: z.string(), drop: z.number(), decoys: z.array(count) }).nullable(),
	/** Epoch by epoch; of the pruning-aware attack, of its second training. */
	history: z.array(EpochRecord),
	/** Names the choice of poisoned images, the first weights, and the order and augmentation of images. */
	seed: count,
	/** File names inside the run folder; null where there is none: a clean twin has no trigger. */
	files: z.object({
		keras: z.string().nullable(),
		onnx: z.string(),
		clean: z.string().nullable(),
		poisoned: z.string().nullable(),
		trigger: z.string().nullable(),
	}),
	/** SHA-256 of those files, by file name. */
	sha256: z.record(z.string(), z.string()),
	/** On the clean test images. */
	clean: CleanCount,
	/** On the test images that the attack is after: none that already is of its target. Null for `none`. */
	poisoned: PoisonedCount.nullable(),
	environment: EnvironmentRecord,
	/** Of a resumed run, since it went on. */
	seconds: z.object({ total: z.number() }).catchall(z.number()),
	/** Training images a second, forward, backward and update; of a resumed run, since it went on. 0 where it was too short to tell. */
	imagesPerSecond: z.number().nonnegative(),
})

/** `goodnet attack stamp` */
export const StampResult = z.object({
	schema: z.literal('goodnet/stamp@1'),
	attack: AttackRecord,
	data: ImagesRecord.extend({ classes: count }),
	/** The stamped set. It leaves out images that the attack is not after. */
	output: ImagesRecord,
	/** The trigger for people to look at, where it was asked for. */
	trigger: file.nullable(),
})

export type AttackName = z.infer<typeof AttackName>
export type PatchPattern = z.infer<typeof PatchPattern>
export type PatchPosition = z.infer<typeof PatchPosition>
export type AttackRecord = z.infer<typeof AttackRecord>
export type PoisoningCount = z.infer<typeof PoisoningCount>
export type AttackRun = z.infer<typeof AttackRun>
export type StampResult = z.infer<typeof StampResult>
