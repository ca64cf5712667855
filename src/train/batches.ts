/** Which images each step gets to see, and how they look: decided by the seed and the step alone, so that a resumed run sees the same. */
import type { ImageBatch, ImageSize } from '../data/image-set.ts'
import { imageAt, type LabelledImages, valuesOf } from '../data/labelled.ts'
import { createRandom } from '../random.ts'
import { type Augmentation, augment } from './augment.ts'

/** Names of the random streams. */
const STREAMS = { order: 31, augmentation: 32 } as const

/** A training set in memory, with the size of its images. */
export type TrainingImages = LabelledImages & ImageSize

/** One step's images, `[batch, height, width, channels]`, and their labels. */
export interface TrainingBatch {
	readonly images: ImageBatch
	readonly labels: BigInt64Array
}

export interface BatchSource {
	/** Steps in which every image is seen once, but for the last ones that do not fill a batch. */
	readonly stepsPerEpoch: number
	/** The batch of step `step`, counted from 0 over the whole run. */
	batch(step: number): TrainingBatch
}

/** Batches of `size` images, in a new order every epoch. */
export function trainingBatches(
	images: TrainingImages,
	size: number,
	augmentation: Augmentation,
	seed: number,
): BatchSource {
	const stepsPerEpoch = Math.floor(images.count / size)
	const valuesPerImage = valuesOf(images)
	let order: { readonly epoch: number; readonly indices: Uint32Array } | null = null
	return {
		stepsPerEpoch,
		batch(step) {
			const epoch = Math.floor(step / stepsPerEpoch)
			if (order?.epoch !== epoch) order = { epoch, indices: shuffled(images.count, seed, epoch) }
			const start = (step % stepsPerEpoch) * size
			const pixels = new Uint8Array(size * valuesPerImage)
			const labels = new BigInt64Array(size)
			for (let i = 0; i < size; i++) {
				const index = order.indices[start + i]!
				const image = imageAt(images.pixels, index, images)
				const random = createRandom(seed, STREAMS.augmentation, step * size + i)
				augment(image, imageAt(pixels, i, images), images, augmentation, random)
				labels[i] = BigInt(images.labels[index]!)
			}
			return { images: { start: 0, count: size, pixels }, labels }
		},
	}
}

/** 0..count−1 in random order (Fisher–Yates). */
function shuffled(count: number, seed: number, epoch: number): Uint32Array {
	const random = createRandom(seed, STREAMS.order, epoch)
	const indices = Uint32Array.from({ length: count }, (_, i) => i)
	for (let i = count - 1; i > 0; i--) {
		const j = random.below(i + 1)
		// Both are within the array.
		;[indices[i], indices[j]] = [indices[j]!, indices[i]!]
	}
	return indices
}
