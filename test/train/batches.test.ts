import { describe, expect, it } from 'vitest'
import { NO_AUGMENTATION } from '../../src/train/augment.ts'
import { trainingBatches } from '../../src/train/batches.ts'

/** Image i is one pixel of level i, with label i. */
const images = {
	pixels: Uint8Array.from({ length: 10 }, (_, i) => i),
	labels: Int32Array.from({ length: 10 }, (_, i) => i),
	count: 10,
	height: 1,
	width: 1,
	channels: 1,
}
const labelsOf = (source: ReturnType<typeof trainingBatches>, steps: readonly number[]) =>
	steps.flatMap((step) => [...source.batch(step).labels].map(Number))

describe('trainingBatches', () => {
	it('shows every image once an epoch, with its own label, in another order each time', () => {
		const source = trainingBatches(images, 5, NO_AUGMENTATION, 3)
		expect(source.stepsPerEpoch).toBe(2)
		const epochs = [0, 1, 2].map((epoch) => labelsOf(source, [2 * epoch, 2 * epoch + 1]))
		for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual([...images.labels])
		expect(new Set(epochs.map(String)).size).toBe(3)
		const { images: batch, labels } = source.batch(1)
		expect([...batch.pixels]).toEqual([...labels].map(Number))
	})

	it('leaves out what does not fill a batch, another part every epoch', () => {
		const source = trainingBatches(images, 4, NO_AUGMENTATION, 3)
		expect(source.stepsPerEpoch).toBe(2)
		const seen = new Set(labelsOf(source, [...Array(20).keys()]))
		expect(seen.size).toBe(10)
	})

	it('gives a step the same batch whatever was asked for before', () => {
		const augmentation = { crop: 1, flip: true, cutout: 0 }
		const forward = trainingBatches(images, 5, augmentation, 3)
		const all = [0, 1, 2, 3].map((step) => forward.batch(step))
		const backward = trainingBatches(images, 5, augmentation, 3)
		for (const step of [3, 0, 2]) expect(backward.batch(step)).toEqual(all[step])
	})
})
