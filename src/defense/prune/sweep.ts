/**
 * The sweep: every net of the pruning order judged on one set of images, in one pass over it. Per batch the trunk's output is edited
 * channel by channel; the head runs again only for images on which the channel was not silent already, since for the others nothing
 * changes. The counts equal those of writing each pruned net to a file and running it whole.
 */
import { throwIfAborted } from '../../errors.ts'
import { pickImages } from '../../model/batches.ts'
import { argmaxRows } from '../../model/predict.ts'
import type { Feed } from '../../runtime/runtime.ts'
import { channelStrides } from './rank.ts'
import type { CutModel, LayerBatch } from './trunk.ts'

/** Told, for each image of a batch and each step, what the pruned net and B answer. Step 0 is B itself. */
export interface Judge {
	/**
	 * @param image index within the set
	 * @param label what the net of this step answers
	 * @param original what B answers
	 */
	judge(step: number, image: number, label: number, original: number): void
}

/** Lets `judge` see the answers of every net in the order on one batch. */
export async function sweepBatch(
	net: CutModel,
	batch: LayerBatch,
	order: readonly number[],
	judge: Judge,
	signal?: AbortSignal,
): Promise<void> {
	const { classes } = net.model
	const original = argmaxRows(await net.runHead(batch.feeds, batch.count), classes)
	const labels = original.slice()
	const edited = copyLayer(batch, net.layer.name)
	judgeAll(judge, 0, batch, labels, original)
	for (const [i, channel] of order.entries()) {
		throwIfAborted(signal)
		const touched = silence(net, edited[net.layer.name]!, batch.count, channel)
		if (touched.length > 0) {
			const picks = net.isPerImage ? touched : [...labels.keys()]
			const feeds = picks.length === batch.count ? edited : pickAll(edited, picks)
			const answers = argmaxRows(await net.runHead(feeds, picks.length), classes)
			for (const [j, image] of picks.entries()) labels[image] = answers[j]!
		}
		judgeAll(judge, i + 1, batch, labels, original)
	}
}

function judgeAll(judge: Judge, step: number, batch: LayerBatch, labels: Int32Array, original: Int32Array): void {
	for (let i = 0; i < batch.count; i++) judge.judge(step, batch.start + i, labels[i]!, original[i]!)
}

/** The batch with a copy of the layer's output, to be edited; the rest is shared. */
function copyLayer({ feeds }: LayerBatch, name: string): Record<string, Feed> {
	const feed = feeds[name]!
	return { ...feeds, [name]: { ...feed, data: feed.data.slice() } }
}

function pickAll(feeds: Readonly<Record<string, Feed>>, picks: readonly number[]): Record<string, Feed> {
	return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, pickImages(feed, picks)]))
}

/** Sets one channel to its silenced value in place; returns the images on which that changed anything. */
function silence({ layer, silenced }: CutModel, { data }: Feed, count: number, channel: number): number[] {
	const { outer, inner } = channelStrides(layer)
	const values = data as Float32Array // float32: `cutModel` checked
	const touched: number[] = []
	for (let image = 0; image < count; image++) {
		let isChanged = false
		for (let block = 0; block < outer; block++) {
			const begin = (block * layer.channels + channel) * inner
			const offset = image * silenced.length + begin
			for (let i = 0; i < inner; i++) {
				if (values[offset + i] === silenced[begin + i]) continue
				values[offset + i] = silenced[begin + i]!
				isChanged = true
			}
		}
		if (isChanged) touched.push(image)
	}
	return touched
}
