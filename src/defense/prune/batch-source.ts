/** The trunk's output over a set, remembered for a second pass as far as memory allows and computed again beyond that. */
import type { ImageSet } from '../../data/image-set.ts'
import type { RunOptions } from '../../model/predict.ts'
import type { CutModel, LayerBatch } from './trunk.ts'

/** 64 MiB: enough for the 11,547 faces of the lab, which take 55 MB. */
const DEFAULT_BUDGET_BYTES = 2 ** 26

export interface BatchSource {
	/** Number of images. */
	readonly count: number
	batches(options?: RunOptions): AsyncGenerator<LayerBatch>
}

/**
 * @param budgetBytes how much to remember; 0 for a set that is read once
 */
export function recordBatches(net: CutModel, images: ImageSet, budgetBytes = DEFAULT_BUDGET_BYTES): BatchSource {
	const kept: LayerBatch[] = []
	let isComplete = false
	let bytes = 0
	return {
		count: images.count,
		async *batches(options) {
			yield* kept
			if (isComplete) return
			const done = kept.reduce((end, { start, count }) => Math.max(end, start + count), 0)
			for await (const batch of net.layerBatches(images, { ...options, from: done })) {
				bytes += sizeOf(batch)
				if (bytes <= budgetBytes) kept.push(batch)
				yield batch
			}
			isComplete = bytes <= budgetBytes
		},
	}
}

function sizeOf({ feeds }: LayerBatch): number {
	return Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0)
}
