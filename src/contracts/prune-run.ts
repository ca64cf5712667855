/** The schema of `run.json` as `prune`, `demo` and `reproduce` write it: `goodnet/prune@1` (design, section 6). */
import { z } from 'zod'

const count = z.number().int().nonnegative()

/** Correct answers among all: clean accuracy = correct / total. */
export const CleanCount = z.object({ correct: count, total: count })

/** Poisoned images answered with the target label: ASR = hits / total; `recovered` (answered with the true label) where known. */
export const PoisonedCount = z.object({ hits: count, recovered: count.nullable(), total: count })

/** Clean images under a GoodNet. A rejected image is not correct. */
export const GuardedCleanCount = CleanCount.extend({ rejected: count })

/** Poisoned images under a GoodNet. A rejected image is not a hit. */
export const GuardedPoisonedCount = PoisonedCount.extend({ rejected: count })

/** A data set as used. `labels` says what "correct" means: true labels, or agreement with B where the set had none. */
export const DataRecord = z.object({
	path: z.string(),
	sha256: z.string(),
	images: count,
	labels: z.enum(['true', 'agreement']),
})

/**
 * A poisoned set. `labels` tells whether the file carried target labels (as CSAW's do) or true ones; with true labels, images of the
 * target class are left out of every count and `counted` < `images`.
 */
export const PoisonedRecord = z.object({
	path: z.string(),
	sha256: z.string(),
	images: count,
	counted: count,
	target: count,
	labels: z.enum(['target', 'true']),
})

/** How raw pixels become the model's input: resize, reorder to BGR, `(pixel * scale − mean) / std` per channel. */
export const PreprocessingRecord = z.object({
	scale: z.number(),
	mean: z.array(z.number()).nullable(),
	std: z.array(z.number()).nullable(),
	channels: z.enum(['rgb', 'bgr']),
	resize: z.boolean(),
})

/** One net of the sweep: `channel` is the one pruned at this step (null before the first). */
export const StepRecord = z.object({
	pruned: count,
	channel: count.nullable(),
	valid: CleanCount.nullable(),
	test: CleanCount.nullable(),
	poisoned: PoisonedCount.nullable(),
})

const change = <T extends z.ZodType>(each: T) => z.object({ before: each, after: each })

/** A repaired net whose pruned channels are really gone (`--compact`), beside the one in which they are zero. */
export const CompactRecord = z.object({
	/** File name inside the run folder; null where nothing could be removed. */
	file: z.string().nullable(),
	/** Pruned channels of the layer that are gone. */
	removed: count,
	/** Why the others stay, or no file was written; null where all are gone. */
	reason: z.string().nullable(),
	parameters: change(count),
	/** Of the ONNX files. */
	bytes: change(count),
	/** Seconds an image, medians of alternating rounds; null where there is no file. */
	secondsPerImage: change(z.number().positive()).nullable(),
})

/** One repaired net and the GoodNet made of it. `drop` is in points, null where the channels were given by hand. */
export const RepairedRecord = z.object({
	drop: z.number().nullable(),
	pruned: count,
	channels: z.array(count),
	/** File names inside the run folder, null when nothing was written; no `source` where Keras has no place for a mask. */
	files: z.object({ source: z.string().nullable(), onnx: z.string(), goodnet: z.string() }).nullable(),
	/** SHA-256 of those files, by file name. */
	sha256: z.record(z.string(), z.string()),
	/** With `--compact` only. */
	compact: CompactRecord.optional(),
	valid: CleanCount.nullable(),
	test: CleanCount.nullable(),
	poisoned: PoisonedCount.nullable(),
	goodnet: z.object({
		valid: GuardedCleanCount.nullable(),
		test: GuardedCleanCount.nullable(),
		poisoned: GuardedPoisonedCount.nullable(),
	}),
})

export const PruneRun = z.object({
	schema: z.literal('goodnet/prune@1'),
	/** The command line that made this run, for the report's reader. */
	command: z.string(),
	model: z.object({
		path: z.string(),
		sha256: z.string(),
		format: z.enum(['keras-h5', 'onnx']),
		inputShape: z.array(count),
		classes: count,
		layer: z.string(),
		producer: z.string().nullable(),
		channels: count,
		intervention: z.enum(['weights', 'mask']),
	}),
	preprocessing: PreprocessingRecord,
	data: z.object({
		valid: DataRecord.nullable(),
		test: DataRecord.nullable(),
		poisoned: PoisonedRecord.nullable(),
	}),
	/** Channel numbers, first pruned first. */
	order: z.array(count),
	/** How `order` came about: ranked on `valid`, or given by the user. */
	orderSource: z.enum(['mean-activation', 'given']),
	/** By channel number; null when no data was given. */
	meanActivation: z.array(z.number()).nullable(),
	steps: z.array(StepRecord),
	repaired: z.array(RepairedRecord),
	/** Drops (points) that no net of the sweep reached. */
	notReached: z.array(z.number()),
	environment: z.object({
		goodnet: z.string(),
		node: z.string(),
		onnxruntime: z.string(),
		threads: count,
		device: z.string(),
	}),
	seconds: z.object({ total: z.number() }).catchall(z.number()),
})

export type CleanCount = z.infer<typeof CleanCount>
export type PoisonedCount = z.infer<typeof PoisonedCount>
export type GuardedCleanCount = z.infer<typeof GuardedCleanCount>
export type GuardedPoisonedCount = z.infer<typeof GuardedPoisonedCount>
export type DataRecord = z.infer<typeof DataRecord>
export type PoisonedRecord = z.infer<typeof PoisonedRecord>
export type PreprocessingRecord = z.infer<typeof PreprocessingRecord>
export type StepRecord = z.infer<typeof StepRecord>
export type CompactRecord = z.infer<typeof CompactRecord>
export type RepairedRecord = z.infer<typeof RepairedRecord>
export type PruneRun = z.infer<typeof PruneRun>
