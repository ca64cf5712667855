/** `goodnet predict`: labels of images, from any net or GoodNet. */
import { PredictOptions } from '../../contracts/cli-options.ts'
import type { PredictResult } from '../../contracts/cli-results.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { writeNpy } from '../../data/npy.ts'
import { InputError } from '../../errors.ts'
import { exists, writeFileWhole } from '../../files.ts'
import type { Model } from '../../model/model.ts'
import { predict as predictBatches } from '../../model/predict.ts'
import { defineCommand, type Io } from '../command.ts'
import { MODEL_ARGUMENT, MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { createProgress } from '../progress.ts'
import { alignColumns } from '../text-table.ts'

interface Answer {
	readonly image: string
	/** 0..C, where C is a GoodNet's "rejected". */
	readonly label: number
	readonly className: string | null
	readonly rejected: boolean
	/** Softmax over the logits (B's, for a GoodNet), of the label B gives. */
	readonly probability: number
}

export const predict = defineCommand<PredictOptions>({
	name: 'predict',
	summary: 'classify images with a net, a repaired net or a GoodNet',
	arguments: [
		['<model>', MODEL_ARGUMENT],
		['<images...>', 'image files, folders, HDF5, .npz or .npy'],
	],
	flags: [
		['--logits <file>', 'also write the logits, float32 [N, classes], as .npy'],
		['--force', 'overwrite that file'],
		...MODEL_FLAGS,
	],
	options: PredictOptions,
	example: 'goodnet predict goodnet_4.onnx face.png',
	async run([path = '', ...imagePaths], options, io) {
		if (options.logits !== undefined && !options.force && (await exists(options.logits))) {
			throw new InputError('exists', `${options.logits} is there already; add --force to overwrite it`, {
				path: options.logits,
			})
		}
		const model = await openModelFor(path, options)
		const answers: Answer[] = []
		const logits: Float32Array[] = []
		for (const each of imagePaths) {
			const images = await openImagesFor(model, each, options)
			try {
				const more = await answersOn(model, images, options, io, options.logits === undefined ? null : logits)
				for (const answer of more) answers.push(answer)
			} finally {
				images.close()
			}
		}
		if (options.logits !== undefined) {
			const file = writeNpy([answers.length, model.classes], concatenate(logits))
			await writeFileWhole(options.logits, file, { force: options.force })
		}
		io.print(options.json ? JSON.stringify(record(model, answers), null, 2) : table(model, answers))
		return 0
	},
})

async function answersOn(
	model: Model,
	images: ImageSet,
	options: PredictOptions,
	io: Io,
	keep: Float32Array[] | null,
): Promise<Answer[]> {
	const progress = createProgress(io, options.quiet || images.count < 100)
	const answers: Answer[] = []
	const onProgress = (done: number, total: number) => progress.update('predict', done, total)
	for await (const { start, labels, logits } of predictBatches(model, images, { signal: io.signal, onProgress })) {
		keep?.push(logits.slice())
		for (const [i, label] of labels.entries()) {
			const row = logits.subarray(i * model.classes, (i + 1) * model.classes)
			answers.push({
				image: images.imageNames?.[start + i] ?? (images.count === 1 ? images.path : `${images.path}[${start + i}]`),
				label,
				className: images.classNames?.[label] ?? null,
				rejected: model.kind === 'goodnet' && label === model.classes,
				probability: highestSoftmax(row),
			})
		}
	}
	return answers
}

/** The largest softmax probability: `1 / Σ exp(x − max)`. */
function highestSoftmax(logits: Float32Array): number {
	const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
	return 1 / logits.reduce((sum, x) => sum + Math.exp(x - highest), 0)
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
	const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
	let offset = 0
	for (const part of parts) {
		all.set(part, offset)
		offset += part.length
	}
	return all
}

function record({ source, kind, classes }: Model, answers: readonly Answer[]): PredictResult {
	return {
		schema: 'goodnet/predict@1',
		model: { path: source.path, sha256: source.sha256, kind, classes },
		predictions: answers.map(({ image, label, rejected }) => ({ image, label, rejected })),
	}
}

function table(model: Model, answers: readonly Answer[]): string {
	const heading = model.kind === 'goodnet' ? 'softmax of B' : 'softmax'
	const rows = answers.map(({ image, label, className, rejected, probability }) => [
		image,
		rejected ? `${label} = rejected` : showLabel(label, className),
		probability.toFixed(4),
	])
	return alignColumns([['image', 'label', heading], ...rows])
}

/** The label, and its name where that says more: folders may be called `00014`. */
function showLabel(label: number, className: string | null): string {
	return className === null || Number(className) === label ? String(label) : `${label} ${className}`
}
