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

/** What a run ran on. */
export const EnvironmentRecord = z.object({
	goodnet: z.string(),
	node: z.string(),
	onnxruntime: z.string(),
	threads: count,
	device: z.string(),
})

/**
 * How channels are ranked: mean activation, maximum activation, average percentage of zeros, L1 norm of the filter, channel Lipschitz
 * bound, divergence of batch statistics, at random.
 */
export const RankName = z.enum(['mean', 'max', 'apoz', 'l1', 'clp', 'bnp', 'random'])

/**
 * How a channel is silenced: kernel and bias of its filter set to zero, scale and shift of the batch normalization behind it set to
 * zero, or a mask node.
 */
export const Intervention = z.enum(['weights', 'normalization', 'mask'])

/** One net of the sweep: `channel` is the one pruned at this step; null before the first, and where a step prunes several. */
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

/**
 * What a repaired net was chosen by: a drop, the elbow of the curve, a threshold in standard deviations, or by hand. Never by what the
 * test or poisoned set says.
 */
export const ChosenBy = z.enum(['drop', 'elbow', 'threshold', 'given'])

/** One repaired net and the GoodNet made of it. */
export const RepairedRecord = z.object({
	chosenBy: ChosenBy,
	/** Points, where it was chosen by a drop. */
	drop: z.number().nullable(),
	/** Standard deviations above the mean of the layer, where it was chosen by a threshold. */
	u: z.number().nullable(),
	pruned: count,
	/** Channel numbers, or where several layers were pruned unit numbers as in `layers`. */
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

/** How the channels were ranked. */
export const RankingRecord = z.object({
	name: RankName,
	/** What a score is, in words. */
	quantity: z.string(),
	/** Which end is pruned first. */
	first: z.enum(['lowest', 'highest']),
	/** By channel or unit number. Across layers of a ranking by suspicion: standard deviations from the mean of the layer. */
	scores: z.array(z.number()),
	/** Of `random`. */
	seed: count.nullable(),
})

/** One of several layers that were pruned together. Units are numbered through: a layer's channels follow those of the one before. */
export const LayerRecord = z.object({
	name: z.string(),
	producer: z.string().nullable(),
	channels: count,
	intervention: Intervention,
})

/** What `--layer` and `model.layer` say of a run across layers. */
export const ALL_LAYERS = 'all'

export const PruneRun = z.object({
	schema: z.literal('goodnet/prune@1'),
	/** The command line that made this run, for the report's reader. */
	command: z.string(),
	model: z.object({
		path: z.string(),
		sha256: z.string(),
		format: z.enum(['keras-h5', 'keras-v3', 'tfjs-layers', 'onnx']),
		inputShape: z.array(count),
		classes: count,
		/** `all` where several layers were pruned together. */
		layer: z.string(),
		producer: z.string().nullable(),
		channels: count,
		/** Null where layers differ in it. */
		intervention: Intervention.nullable(),
	}),
	/** The layers of a run across layers, in the order of the net; null for a run of one layer. */
	layers: z.array(LayerRecord).nullable(),
	preprocessing: PreprocessingRecord,
	data: z.object({
		valid: DataRecord.nullable(),
		test: DataRecord.nullable(),
		poisoned: PoisonedRecord.nullable(),
	}),
	/** Channel or unit numbers, first pruned first. */
	order: z.array(count),
	/** How `order` came about: by `ranking`, or given by the user. */
	orderSource: z.enum(['ranked', 'given']),
	/** Null where the order was given. */
	ranking: RankingRecord.nullable(),
	/** By channel number; null when no data was given, and across layers. */
	meanActivation: z.array(z.number()).nullable(),
	steps: z.array(StepRecord),
	/**
	 * Channels pruned at the elbow of the curve, 0 where accuracy falls from the first one on; null where the ranking puts idle channels
	 * first, whose curve has none.
	 */
	elbow: count.nullable(),
	repaired: z.array(RepairedRecord),
	/** Drops (points) that no net of the sweep reached. */
	notReached: z.array(z.number()),
	environment: EnvironmentRecord,
	seconds: z.object({ total: z.number() }).catchall(z.number()),
})

export type RankName = z.infer<typeof RankName>
export type Intervention = z.infer<typeof Intervention>
export type ChosenBy = z.infer<typeof ChosenBy>
export type RankingRecord = z.infer<typeof RankingRecord>
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
export type EnvironmentRecord = z.infer<typeof EnvironmentRecord>
