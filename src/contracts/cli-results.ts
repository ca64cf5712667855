/** What the smaller commands print with `--json`. */
import { z } from 'zod'
import { Intervention } from './prune-run.ts'
import { RepairMethodName } from './repair-run.ts'

const count = z.number().int().nonnegative()

/** `goodnet predict` */
export const PredictResult = z.object({
	schema: z.literal('goodnet/predict@1'),
	model: z.object({ path: z.string(), sha256: z.string(), kind: z.enum(['classifier', 'goodnet']), classes: count }),
	/** In the order of the images; `label` is 0..classes−1, or `classes` where a GoodNet rejected the image. */
	predictions: z.array(z.object({ image: z.string(), label: count, rejected: z.boolean() })),
})

const dim = z.union([count, z.string(), z.null()])

/** `goodnet inspect` */
export const InspectResult = z.object({
	schema: z.literal('goodnet/inspect@1'),
	path: z.string(),
	sha256: z.string(),
	format: z.enum(['keras-h5', 'keras-v3', 'tfjs-layers', 'onnx']),
	kind: z.enum(['classifier', 'goodnet']),
	/** What wrote the file, as it says itself; may be empty. */
	producer: z.string(),
	opset: count.nullable(),
	input: z.object({
		name: z.string(),
		/** One image. */
		shape: z.array(count),
		layout: z.enum(['NCHW', 'NHWC']),
		dtype: z.string(),
		/** Images a run, where the graph fixes it. */
		batch: count.nullable(),
	}),
	output: z.string(),
	classes: count,
	nodes: count,
	parameters: count,
	/** Places that can be pruned, in the order of the net. */
	layers: z.array(
		z.object({
			name: z.string(),
			shape: z.array(dim),
			channels: count,
			/** The axis that counts channels. */
			axis: count,
			/** The layer whose kernel and bias are zeroed; null where a mask must do. */
			producer: z.string().nullable(),
			intervention: Intervention,
			/** The constants in which slice `c` along `axis` is zeroed to prune channel `c`; empty for a mask. */
			filters: z.array(z.object({ name: z.string(), axis: count })),
			/** All layers that make these channels: several are tied by a sum, or stand at their `offset` in a concatenation. */
			producers: z.array(z.object({ name: z.string(), op: z.string(), offset: count })),
			/** Who reads the channels; `offset` is where a concatenation puts them. */
			consumers: z.array(
				z.object({
					name: z.string(),
					op: z.string(),
					kind: z.enum(['convolution', 'dense', 'normalization', 'sum', 'product', 'concatenation', 'other']),
					offset: count,
				}),
			),
			isDefault: z.boolean(),
		}),
	),
	/** Why no layer is the default; null where one is, and for a GoodNet. */
	nothingToPrune: z.string().nullable(),
	metadata: z.record(z.string(), z.string()),
})

/** `goodnet reproduce` */
export const ReproduceResult = z.object({
	schema: z.literal('goodnet/reproduce@1'),
	experiment: z.literal('csaw-lab3'),
	comparisons: z.array(
		z.object({
			what: z.string(),
			/** Channels pruned. */
			pruned: count,
			/** Null where nothing could be measured. */
			measured: z.number().nullable(),
			published: z.number(),
			isWithin: z.boolean(),
		}),
	),
})

/** `goodnet repair --list` */
export const RepairMethodsResult = z.object({
	schema: z.literal('goodnet/repair-methods@1'),
	/** The method that is taken where none is named. */
	default: RepairMethodName,
	/** And the one for unlabelled pictures. */
	defaultUnlabeled: RepairMethodName,
	methods: z.array(
		z.object({
			name: RepairMethodName,
			/** One sentence with its source. */
			summary: z.string(),
			/** Clean images that it cannot do without. */
			needs: z.array(z.enum(['tuning', 'valid', 'unlabeled'])),
			parameters: z.array(
				z.object({
					name: z.string(),
					meaning: z.string(),
					default: z.union([z.number(), z.string(), z.array(z.number())]),
					/** What it takes, in words. */
					range: z.string(),
				}),
			),
		}),
	),
})

/** `goodnet doctor` */
export const DoctorResult = z.object({
	schema: z.literal('goodnet/doctor@1'),
	goodnet: z.string(),
	checks: z.array(
		z.object({ name: z.string(), isFine: z.boolean(), found: z.string(), advice: z.string().optional() }),
	),
})

export type PredictResult = z.infer<typeof PredictResult>
export type InspectResult = z.infer<typeof InspectResult>
export type ReproduceResult = z.infer<typeof ReproduceResult>
export type RepairMethodsResult = z.infer<typeof RepairMethodsResult>
export type DoctorResult = z.infer<typeof DoctorResult>
