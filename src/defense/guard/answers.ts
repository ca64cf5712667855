/** What a guarded net says of each image. */
import type { ImageSet } from '../../data/image-set.ts'
import { InputError } from '../../errors.ts'
import { extract } from '../../graph/edit.ts'
import { GOODNET_OUTPUTS, type Model, SUSPICION } from '../../model/model.ts'
import { floatsOfFeed, type RunOptions, runImages } from '../../model/predict.ts'

export interface GuardAnswers {
	/** `[N]`: 0..C−1, or C where the image is rejected. */
	readonly labels: Int32Array
	/** The guard's score, `[N]`: higher where the image is more suspicious. */
	readonly suspicion: Float32Array
}

/**
 * Labels and scores of a whole set.
 * @throws InputError `no-suspicion` for a plain GoodNet or net, which computes no score; InterruptedError
 */
export async function guardAnswers(
	model: Model,
	images: ImageSet,
	{ signal, onProgress }: RunOptions = {},
): Promise<GuardAnswers> {
	const { path } = model.source
	const outputs = [GOODNET_OUTPUTS.label, SUSPICION].map((name) => model.values.get(name))
	const isGuard = model.kind === 'goodnet' && outputs.every((value) => value !== undefined)
	if (!isGuard) {
		const message = `${path}: expected a guard with the output ${SUSPICION}, as goodnet guard writes it, found a net that gives labels alone`
		throw new InputError('no-suspicion', message, { path })
	}
	const answers = { labels: new Int32Array(images.count), suspicion: new Float32Array(images.count) }
	const session = await model.runtime.load(extract(model.graph, outputs))
	try {
		for await (const { start, count, results } of runImages(session, model, images, { signal })) {
			answers.labels.set(Int32Array.from(results[GOODNET_OUTPUTS.label]!.data, Number), start)
			answers.suspicion.set(floatsOfFeed(results[SUSPICION]!), start)
			onProgress?.(start + count, images.count)
		}
	} finally {
		await session.close()
	}
	return answers
}
