/** What `goodnet guard` records: `goodnet/guard@1` (`guard.json`), and the part of it that each guard's file carries in its metadata. */
import { z } from 'zod'
import {
	CleanCount,
	DataRecord,
	EnvironmentRecord,
	GuardedCleanCount,
	GuardedPoisonedCount,
	PoisonedCount,
	PoisonedRecord,
	PreprocessingRecord,
} from './prune-run.ts'

const count = z.number().int().nonnegative()

/**
 * Every guard. `goodnet` is the plain GoodNet: it rejects where B and the first repaired net differ, however often that is on clean
 * images; `disagreement` is the same with a threshold. See docs/guards.md.
 */
export const GuardKind = z.enum(['goodnet', 'disagreement', 'quorum', 'flip-depth', 'logit', 'margin', 'quarantine'])

/** Which flips are suspicious: those of an answer that few pruned channels change, or of one that none change. */
export const SuspectFlips = z.enum(['early', 'late'])

/** Where a guard rejects, and what that cost on the clean images that it was chosen on. */
export const ThresholdRecord = z.object({
	/** An image is rejected where its score is above this. */
	value: z.number(),
	/** Whether the value was chosen for a false rejection rate, or is the guard's own. */
	chosenBy: z.enum(['false-rejection-rate', 'fixed']),
	/** The false rejection rate asked for, in points. */
	asked: z.number(),
	/** Clean validation images rejected. */
	valid: z.object({ rejected: count, total: count }),
	/** The 95 % interval of the false rejection rate that these counts tell, both ends in 0..1; one-sided for 0 or all of n. */
	interval: z.object({ low: z.number(), high: z.number() }),
	/**
	 * The rate, in 0..1, below which so few images cannot promise anything: were none rejected, it is the one-sided 95 % upper bound.
	 */
	leastProvable: z.number(),
	/** Can no score be above the threshold? Then the guard keeps to the rate asked for by rejecting nothing. */
	rejectsNothing: z.boolean(),
})

/** What a guard was made with, by name. */
export const GuardParameters = z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number())]))

/** A guard as its file's metadata tell it, under `goodnet.guard`. */
export const GuardRecord = z.object({
	kind: GuardKind,
	parameters: GuardParameters,
	threshold: ThresholdRecord,
})

/** The area under the ROC curve with its 95 % interval, in 0..1, and how many images of each group it is from. */
export const AurocRecord = z.object({
	value: z.number(),
	low: z.number(),
	high: z.number(),
	/** Which clean set stood against the poisoned one: the validation set where no other was given. */
	clean: z.enum(['test', 'valid']),
	negatives: count,
	positives: count,
})

/** One guard, measured. False rejections are the rejected of `test`, true ones the rejected of `poisoned`. */
export const GuardResult = GuardRecord.extend({
	/** File name inside the folder. */
	file: z.string(),
	test: GuardedCleanCount.nullable(),
	poisoned: GuardedPoisonedCount.nullable(),
	auroc: AurocRecord.nullable(),
})

export const GuardRun = z.object({
	schema: z.literal('goodnet/guard@1'),
	/** The command line that made this run. */
	command: z.string(),
	model: z.object({
		path: z.string(),
		sha256: z.string(),
		format: z.enum(['keras-h5', 'keras-v3', 'tfjs-layers', 'onnx']),
		inputShape: z.array(count),
		classes: count,
	}),
	/** The repaired nets given, in order. */
	repaired: z.array(z.object({ path: z.string(), sha256: z.string() })),
	preprocessing: PreprocessingRecord,
	data: z.object({ valid: DataRecord, test: DataRecord.nullable(), poisoned: PoisonedRecord.nullable() }),
	/** The false rejection rate asked for, in points. */
	falseRejectionRate: z.number(),
	/** The net without a guard. */
	badnet: z.object({ test: CleanCount.nullable(), poisoned: PoisonedCount.nullable() }),
	guards: z.array(GuardResult),
	/** Guards that the inputs do not allow, and why. */
	notMade: z.array(z.object({ kind: GuardKind, reason: z.string() })),
	/** SHA-256 of the files, by file name. */
	sha256: z.record(z.string(), z.string()),
	environment: EnvironmentRecord,
	seconds: z.object({ total: z.number() }).catchall(z.number()),
})

export type GuardKind = z.infer<typeof GuardKind>
export type SuspectFlips = z.infer<typeof SuspectFlips>
export type ThresholdRecord = z.infer<typeof ThresholdRecord>
export type GuardParameters = z.infer<typeof GuardParameters>
export type GuardRecord = z.infer<typeof GuardRecord>
export type AurocRecord = z.infer<typeof AurocRecord>
export type GuardResult = z.infer<typeof GuardResult>
export type GuardRun = z.infer<typeof GuardRun>
