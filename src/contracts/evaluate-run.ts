/** The schema that `evaluate` prints: `goodnet/evaluate@1`. */
import { z } from 'zod'
import { CleanCount, DataRecord, PoisonedCount, PoisonedRecord, PreprocessingRecord } from './prune-run.ts'

const rejected = z.number().int().nonnegative().nullable()

export const EvaluateRun = z.object({
	schema: z.literal('goodnet/evaluate@1'),
	model: z.object({
		path: z.string(),
		sha256: z.string(),
		kind: z.enum(['classifier', 'goodnet']),
		classes: z.number().int(),
	}),
	preprocessing: PreprocessingRecord,
	data: z.object({ test: DataRecord.nullable(), poisoned: PoisonedRecord.nullable() }),
	/** `rejected` counts a GoodNet's refusals; null for a plain net. */
	test: CleanCount.extend({ rejected }).nullable(),
	poisoned: PoisonedCount.extend({ rejected }).nullable(),
})

export type EvaluateRun = z.infer<typeof EvaluateRun>
