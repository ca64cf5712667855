/**
 * The suite that `goodnet bench defenses` runs: nets with their data, and repairs to try on each of them, as a JSON file.
 *
 * Paths are relative to the suite file. A suite is trusted like a command line: it can make goodnet read any file, and write none.
 */
import { z } from 'zod'
import { ratio } from './cli-options.ts'
import { MethodParameters, RepairMethodName } from './repair-run.ts'

const count = z.number().int().nonnegative()

/** A name that also names files. `__` stands between the parts of a cell's file name. */
const CellName = z
	.string()
	.max(100)
	.regex(/^[a-z0-9]+([.-][a-z0-9]+)*$/, 'expected small letters, digits, hyphens and points, as in cifar10-badnets')

const path = z.string().min(1)

/** A net, the clean data that a defense gets for it, and what it is measured on. */
export const SuiteSubject = z
	.strictObject({
		name: CellName,
		/** Under which heading it stands: `made by others`. */
		group: z.string().optional(),
		/** One sentence for the page. */
		note: z.string().optional(),
		model: path,
		/** For weights-only `.h5` files. */
		architecture: path.optional(),
		/** Preprocessing, as the command line has it; what is left out is as the model file says. */
		scale: z.union([z.number(), ratio]).optional(),
		mean: z.array(z.number()).optional(),
		std: z.array(z.number()).optional(),
		colors: z.enum(['rgb', 'bgr']).optional(),
		/** How arrays in data files lie, where the shape does not tell. */
		layout: z.enum(['NCHW', 'NHWC']).optional(),
		/** Clean labelled images that are divided into tuning and validation images. Or `tuning` and `valid`. */
		data: path.optional(),
		tuning: path.optional(),
		valid: path.optional(),
		/** Share of `data` that becomes validation images; default as in `goodnet repair`. */
		share: z.number().gt(0).lt(1).optional(),
		/** Clean pictures without labels. */
		unlabeled: path.optional(),
		/** Clean images to measure on. */
		test: path,
		/** Triggered images to measure on. Without them the net counts as honest. */
		poisoned: path.optional(),
		/** The attacker's label, where `poisoned` has true labels. */
		target: count.optional(),
		/** The subject that is this net without its backdoor: it is measured on this net's `poisoned`, too. */
		twin: CellName.optional(),
	})
	.refine(({ data, tuning, valid }) => (data === undefined) === (tuning !== undefined && valid !== undefined), {
		error: 'expected either data, or tuning and valid',
	})
	.refine(({ data, tuning, valid }) => data === undefined || (tuning === undefined && valid === undefined), {
		error: 'data is divided into tuning and validation images; it does not go with tuning or valid',
	})
	.refine(({ poisoned, target, twin }) => poisoned !== undefined || (target === undefined && twin === undefined), {
		error: 'target and twin are of backdoored nets: expected poisoned beside them',
	})

/** A repair to try. */
export const SuiteMethod = z.strictObject({
	method: RepairMethodName,
	/** What tables and files call it, where a method is tried with several settings; default: the method's name. */
	as: CellName.optional(),
	/** Parameters that shall not have their default. */
	set: MethodParameters.default({}),
	/** Seeds in place of the suite's. */
	seeds: z.array(count).min(1).optional(),
	/**
	 * Was it told something about a trigger or its label that its parameters do not show? Then its figures are an oracle's, and it is no candidate
	 * for a default. A label among its parameters is noticed by itself.
	 */
	isOracle: z.boolean().default(false),
})

export const DefenseSuite = z
	.strictObject({
		schema: z.literal('goodnet/defense-suite@1'),
		subjects: z.array(SuiteSubject).min(1),
		methods: z
			.array(z.union([SuiteMethod, RepairMethodName.transform((method) => SuiteMethod.parse({ method }))]))
			.min(1),
		seeds: z.array(count).min(1).default([0]),
	})
	.superRefine(({ subjects, methods }, context) => {
		const names = subjects.map(({ name }) => name)
		for (const name of repeated(names)) context.addIssue(`two subjects are called ${name}`)
		for (const name of repeated(methods.map(methodLabel))) {
			context.addIssue(`two methods are called ${name}; tell them apart with as`)
		}
		for (const { name, twin } of subjects) {
			const found = subjects.find((each) => each.name === twin)
			if (twin !== undefined && !found) context.addIssue(`${name}: its twin ${twin} is no subject of the suite`)
			if (found?.poisoned !== undefined) context.addIssue(`${name}: its twin ${twin} has a backdoor, too`)
		}
	})

/** What tables and files call a method of a suite. */
export function methodLabel({ as, method }: Pick<SuiteMethod, 'as' | 'method'>): string {
	return as ?? method
}

function repeated(names: readonly string[]): string[] {
	return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}

export type SuiteSubject = z.infer<typeof SuiteSubject>
export type SuiteMethod = z.infer<typeof SuiteMethod>
export type DefenseSuite = z.infer<typeof DefenseSuite>
