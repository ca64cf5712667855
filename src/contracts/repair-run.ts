/** The schema of `run.json` as `repair` writes it: `goodnet/repair@1` (design, section 6). */
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
import { EpochRecord } from './training.ts'

const count = z.number().int().nonnegative()

/** Every defense that `repair` knows; `docs/repair.md` says what each does and where it was published. */
export const RepairMethodName = z.enum([
	'prune',
	'fine-tuning',
	'fine-pruning',
	'ft-sam',
	'anp',
	'nad',
	'i-bau',
	'unlearn',
	'trigger-pruning',
	'distill-unlearn',
])

/** Parameters of a method by name, defaults included. */
export const MethodParameters = z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number())]))

/** A label that the method suspects to be an attacker's target, most suspicious first. */
export const SuspectRecord = z.object({
	label: count,
	/** What was measured of it; its meaning and threshold stand in `RepairFindings`. */
	score: z.number(),
	isSuspect: z.boolean(),
})

/** A net that was measured on the way to the operating point, on clean validation images only. */
export const CandidateRecord = z.object({
	/** What differs between candidates: units pruned, or a threshold. */
	amount: z.number(),
	valid: CleanCount,
})

/** What a method found out on its way. Null where it does not look for such a thing. */
export const RepairFindings = z.object({
	/** Of the last training. */
	history: z.array(EpochRecord).nullable(),
	suspects: z
		.object({
			/** What a score is, in words. */
			quantity: z.string(),
			/** The most suspicious labels, and all that are suspects. */
			labels: z.array(SuspectRecord),
		})
		.nullable(),
	candidates: z.object({ quantity: z.string(), nets: z.array(CandidateRecord) }).nullable(),
})

/** What a net answers; `poisoned.recovered` is null where true labels are not known. */
export const NetCounts = z.object({
	valid: CleanCount.nullable(),
	test: CleanCount.nullable(),
	poisoned: PoisonedCount.nullable(),
})

/** A repaired net, what it answers, and what the GoodNet of B and it does. */
export const RepairedNetRecord = z.object({
	/** What its files are called after: `repaired_NAME.h5`; empty where there is one net only. */
	name: z.string(),
	/** By what it was chosen, in words. Never by what a test or poisoned set says. */
	chosenBy: z.string(),
	/** File names inside the run folder, null when nothing was written; no `source` where the format has no place for the repair. */
	files: z.object({ source: z.string().nullable(), onnx: z.string(), goodnet: z.string() }).nullable(),
	/** SHA-256 of those files, by file name. */
	sha256: z.record(z.string(), z.string()),
	after: NetCounts,
	goodnet: z.object({
		valid: GuardedCleanCount.nullable(),
		test: GuardedCleanCount.nullable(),
		poisoned: GuardedPoisonedCount.nullable(),
	}),
})

/** What the same repair does to a net without a backdoor. */
export const TwinRecord = z.object({
	path: z.string(),
	sha256: z.string(),
	before: NetCounts,
	repaired: z.array(RepairedNetRecord),
	findings: RepairFindings,
})

export const RepairRun = z.object({
	schema: z.literal('goodnet/repair@1'),
	/** The command line that made this run. */
	command: z.string(),
	model: z.object({
		path: z.string(),
		sha256: z.string(),
		format: z.enum(['keras-h5', 'keras-v3', 'tfjs-layers', 'onnx']),
		inputShape: z.array(count),
		classes: count,
	}),
	preprocessing: PreprocessingRecord,
	data: z.object({
		/** What weights learned from; `valid` may be a part of the same file, which its path then says. */
		tuning: DataRecord.nullable(),
		valid: DataRecord.nullable(),
		unlabeled: DataRecord.omit({ labels: true }).nullable(),
		test: DataRecord.nullable(),
		poisoned: PoisonedRecord.nullable(),
	}),
	method: z.object({
		name: RepairMethodName,
		parameters: MethodParameters,
		seed: count,
		/** Was it told something about the trigger or its label? Then every figure is an oracle's. */
		isOracle: z.boolean(),
	}),
	/** The net as it came. */
	before: NetCounts,
	repaired: z.array(RepairedNetRecord),
	findings: RepairFindings,
	twin: TwinRecord.nullable(),
	environment: EnvironmentRecord,
	seconds: z.object({ total: z.number() }).catchall(z.number()),
})

export type RepairMethodName = z.infer<typeof RepairMethodName>
export type RepairFindings = z.infer<typeof RepairFindings>
export type NetCounts = z.infer<typeof NetCounts>
export type RepairedNetRecord = z.infer<typeof RepairedNetRecord>
export type TwinRecord = z.infer<typeof TwinRecord>
export type RepairRun = z.infer<typeof RepairRun>
