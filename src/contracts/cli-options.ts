/** What the command line's options mean: strings as typed, parsed once into values with ranges. */
import { z } from 'zod'
import { PatchPattern, PatchPosition } from './attack-run.ts'
import { GuardKind, SuspectFlips } from './guard-run.ts'
import { RankName } from './prune-run.ts'
import { OptimizerName, ScheduleName } from './training.ts'

/** A list of numbers, `2,4,10`. */
function numberList(what: string) {
	return z.string().transform((text, context) => {
		const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
		if (numbers.every(Number.isFinite)) return numbers
		context.addIssue(`expected ${what} separated by commas, as in 2,4,10, found "${text}"`)
		return z.NEVER
	})
}

/** A number, or a fraction such as `1/255`. */
export const ratio = z.string().transform((text, context) => {
	const [numerator = '', denominator = '1', ...rest] = text.split('/')
	const value = Number(numerator) / Number(denominator)
	if (numerator.trim() !== '' && rest.length === 0 && Number.isFinite(value) && value !== 0) return value
	context.addIssue(`expected a number other than 0, or a fraction such as 1/255, found "${text}"`)
	return z.NEVER
})

const number = z.string().transform((text, context) => {
	if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
	context.addIssue(`expected a number, found "${text}"`)
	return z.NEVER
})

const wholeNumber = z.string().transform((text, context) => {
	if (/^\d{1,9}$/.test(text)) return Number(text)
	context.addIssue(`expected a whole number from 0, found "${text}"`)
	return z.NEVER
})

const drops = numberList('points').pipe(
	z.array(z.number().gt(0, 'drops are points above 0').lte(100, 'drops are points up to 100')),
)

/** Every command: where results and words go. */
export const OutputOptions = z.object({ json: z.boolean().default(false), quiet: z.boolean().default(false) })

/** Every command that runs a model. */
export const ModelOptions = OutputOptions.extend({
	architecture: z.string().optional(),
	scale: ratio.optional(),
	mean: numberList('numbers').optional(),
	std: numberList('numbers').optional(),
	colors: z.enum(['rgb', 'bgr']).optional(),
	resize: z.boolean().optional(),
	layout: z.enum(['NCHW', 'NHWC']).optional(),
	threads: wholeNumber.pipe(z.number().min(1)).optional(),
	runtime: z.enum(['native', 'wasm']).optional(),
})

export const PredictOptions = ModelOptions.extend({ logits: z.string().optional(), force: z.boolean().default(false) })

export const EvaluateOptions = ModelOptions.extend({
	test: z.string().optional(),
	poisoned: z.string().optional(),
	target: wholeNumber.optional(),
})

export const PruneOptions = ModelOptions.extend({
	check: z.boolean().default(true),
	valid: z.string().optional(),
	test: z.string().optional(),
	poisoned: z.string().optional(),
	target: wholeNumber.optional(),
	layer: z.string().optional(),
	drops: drops.optional(),
	channels: numberList('channel numbers').optional(),
	compact: z.boolean().default(false),
	resume: z.boolean().default(false),
	order: z.string().optional(),
	rank: RankName.optional(),
	u: number.optional(),
	seed: wholeNumber.optional(),
	output: z.string(),
	force: z.boolean().default(false),
})

export const RepairOptions = ModelOptions.extend({
	method: z.string().optional(),
	list: z.boolean().default(false),
	set: z.array(z.string()).default([]),
	data: z.string().optional(),
	tuningData: z.string().optional(),
	valid: z.string().optional(),
	validShare: number.pipe(z.number().gt(0).lt(100)).optional(),
	unlabeled: z.string().optional(),
	test: z.string().optional(),
	poisoned: z.string().optional(),
	target: wholeNumber.optional(),
	twin: z.string().optional(),
	seed: wholeNumber.default(0),
	failOn: z.enum(['worse']).optional(),
	check: z.boolean().default(true),
	resume: z.boolean().default(false),
	output: z.string(),
	force: z.boolean().default(false),
})

const kinds = z
	.string()
	.transform((text) => text.split(',').map((word) => word.trim()))
	.pipe(z.array(GuardKind))

export const GuardOptions = ModelOptions.extend({
	check: z.boolean().default(true),
	repaired: z.array(z.string()).default([]),
	kind: kinds.optional(),
	layer: z.string().optional(),
	order: z.string().optional(),
	rank: RankName.optional(),
	checkpoints: wholeNumber.pipe(z.number().min(1)).optional(),
	flips: SuspectFlips.optional(),
	quorum: wholeNumber.optional(),
	quarantine: numberList('labels').optional(),
	valid: z.string({ error: 'expected clean images to choose thresholds on, found nothing' }),
	test: z.string().optional(),
	poisoned: z.string().optional(),
	target: wholeNumber.optional(),
	seed: wholeNumber.optional(),
	frr: number.default(1),
	output: z.string(),
	force: z.boolean().default(false),
})

/** What a trigger looks like: the options of all attacks, of which each takes some. */
const TriggerOptions = z.object({
	target: wholeNumber.optional(),
	triggerSeed: wholeNumber.optional(),
	pattern: PatchPattern.optional(),
	size: number.optional(),
	position: PatchPosition.optional(),
	margin: number.optional(),
	color: numberList('levels').optional(),
	picture: z.string().optional(),
	row: number.optional(),
	column: number.optional(),
	opacity: number.optional(),
	amplitude: number.optional(),
	frequency: number.optional(),
	grid: number.optional(),
	strength: number.optional(),
	cutoff: number.optional(),
	bits: number.optional(),
	dithering: z.boolean().optional(),
	pieces: number.optional(),
	sources: numberList('classes').optional(),
})

export const AttackOptions = OutputOptions.extend({
	...TriggerOptions.shape,
	data: z.string({ error: 'expected the images to train on, found nothing' }),
	test: z.string().optional(),
	holdout: number.pipe(z.number().gt(0).lt(100)).optional(),
	classes: wholeNumber.optional(),
	seed: wholeNumber.default(0),
	arch: z.string().default('small-cnn'),
	rate: number.optional(),
	coverRatio: number.optional(),
	coverClasses: numberList('classes').optional(),
	trainingOpacity: number.optional(),
	shownPieces: number.optional(),
	dirtyLabel: z.boolean().optional(),
	layer: z.string().optional(),
	pruneDrop: number.optional(),
	optimizer: OptimizerName.default('adam'),
	lr: number.default(0.001),
	schedule: ScheduleName.default('cosine'),
	momentum: number.optional(),
	nesterov: z.boolean().default(false),
	weightDecay: number.default(0),
	epochs: number.default(10),
	batch: number.default(64),
	smoothing: number.default(0),
	clip: number.nullable().default(null),
	crop: number.default(0),
	flip: z.boolean().default(false),
	cutout: number.default(0),
	patience: number.nullable().default(null),
	layout: z.enum(['NCHW', 'NHWC']).optional(),
	threads: wholeNumber.pipe(z.number().min(1)).optional(),
	runtime: z.enum(['native', 'wasm']).optional(),
	resume: z.boolean().default(false),
	output: z.string({ error: 'expected a folder for the results, found nothing' }),
	force: z.boolean().default(false),
})

export const AttackStampOptions = OutputOptions.extend({
	...TriggerOptions.shape,
	data: z.string({ error: 'expected the images to stamp, found nothing' }),
	classes: wholeNumber.optional(),
	layout: z.enum(['NCHW', 'NHWC']).optional(),
	trigger: z.string().endsWith('.png', 'expected a name that ends in .png').optional(),
	output: z
		.string({ error: 'expected an .npz file to write, found nothing' })
		.endsWith('.npz', 'expected a name that ends in .npz'),
	force: z.boolean().default(false),
})

/** A list of names, `anp,ft-sam`. */
const nameList = z.string().transform((text, context) => {
	const names = text.split(',').map((name) => name.trim())
	if (names.every((name) => name !== '')) return names
	context.addIssue(`expected names separated by commas, found "${text}"`)
	return z.NEVER
})

export const BenchDefensesOptions = OutputOptions.extend({
	output: z.string({ error: 'expected a folder for the results, found nothing' }),
	methods: nameList.optional(),
	subjects: nameList.optional(),
	seeds: numberList('seeds')
		.pipe(z.array(z.number().int('seeds are whole numbers').min(0, 'seeds are whole numbers from 0')))
		.optional(),
	jobs: wholeNumber.pipe(z.number().min(1, 'expected at least 1')).optional(),
	page: z.string().endsWith('.md', 'expected a name that ends in .md').optional(),
	force: z.boolean().default(false),
})

export const DemoOptions = OutputOptions.extend({
	drops: drops.optional(),
	output: z.string(),
	force: z.boolean().default(false),
})

export const ReproduceOptions = OutputOptions.extend({
	data: z.string({ error: 'expected the folder with the experiment\u2019s files, found nothing' }),
})

export type ModelOptions = z.infer<typeof ModelOptions>
export type PredictOptions = z.infer<typeof PredictOptions>
export type EvaluateOptions = z.infer<typeof EvaluateOptions>
export type PruneOptions = z.infer<typeof PruneOptions>
export type RepairOptions = z.infer<typeof RepairOptions>
export type GuardOptions = z.infer<typeof GuardOptions>
export type DemoOptions = z.infer<typeof DemoOptions>
export type OutputOptions = z.infer<typeof OutputOptions>
export type AttackOptions = z.infer<typeof AttackOptions>
export type AttackStampOptions = z.infer<typeof AttackStampOptions>
export type BenchDefensesOptions = z.infer<typeof BenchDefensesOptions>
export type ReproduceOptions = z.infer<typeof ReproduceOptions>
