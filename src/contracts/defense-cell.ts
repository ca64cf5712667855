/** What one repair did to one net: a file `cells/SUBJECT__METHOD__SEED.json` of `goodnet bench defenses`. It names no path and no command. */
import { z } from 'zod'
import { EnvironmentRecord, PreprocessingRecord } from './prune-run.ts'
import { MethodParameters, NetCounts, RepairedNetRecord, RepairMethodName } from './repair-run.ts'

const count = z.number().int().nonnegative()

/** What clean and poisoned sets there were; null where there was none. */
const perSet = <T extends z.ZodType>(each: T) =>
	z.object({
		data: each.nullable(),
		tuning: each.nullable(),
		valid: each.nullable(),
		unlabeled: each.nullable(),
		test: each.nullable(),
		poisoned: each.nullable(),
	})

/** All that decides what comes out. A cell with the same identity is not run again. */
export const CellIdentity = z.object({
	/** Version of goodnet. */
	goodnet: z.string(),
	/** SHA-256 of the net's file, hex. */
	model: z.string(),
	preprocessing: PreprocessingRecord,
	/** SHA-256 of each set, hex, with the names of what was read from it. */
	sets: perSet(z.string()),
	/** Share of `data` that was validation images. */
	share: z.number(),
	/** The attacker's label as told; null where the poisoned set tells it, or there is none. */
	target: count.nullable(),
	method: RepairMethodName,
	/** Defaults included. */
	parameters: MethodParameters,
	seed: count,
})

/** What came of it. `not-applicable`: the net has nothing that the method could work on. `failed`: it began and gave up. */
export const CellOutcome = z.discriminatedUnion('status', [
	z.object({
		status: z.literal('done'),
		before: NetCounts,
		repaired: z.array(RepairedNetRecord.pick({ name: true, chosenBy: true, after: true, goodnet: true })),
	}),
	z.object({ status: z.enum(['not-applicable', 'failed']), code: z.string(), reason: z.string() }),
])

export const DefenseCell = z.object({
	schema: z.literal('goodnet/defense-cell@1'),
	subject: z.object({
		name: z.string(),
		group: z.string().nullable(),
		note: z.string().nullable(),
		/** False for an honest net: what it does on poisoned images of its backdoored twin is no attack. */
		isBackdoored: z.boolean(),
	}),
	/** What the suite calls the method with these parameters. */
	method: z.string(),
	isOracle: z.boolean(),
	identity: CellIdentity,
	/** Images of each set; of `data`, before it was divided. */
	images: perSet(count),
	outcome: CellOutcome,
	environment: EnvironmentRecord,
	/** Of the repair and all measuring. */
	seconds: z.number().nonnegative(),
})

/** `goodnet bench defenses --json`: the cells of the suite that are in the folder, in the suite's order. */
export const DefenseBench = z.object({
	schema: z.literal('goodnet/defense-bench@1'),
	/** Cells of this command that were run, and that were there. */
	ran: count,
	kept: count,
	cells: z.array(DefenseCell),
})

export type CellIdentity = z.infer<typeof CellIdentity>
export type CellOutcome = z.infer<typeof CellOutcome>
export type DefenseCell = z.infer<typeof DefenseCell>
export type DefenseBench = z.infer<typeof DefenseBench>
