/**
 * The rows of a batch: images with some channels pruned, whose answers the head must give. An image becomes a row at each step that changes
 * it, unless a dense head's answer is known by subtraction (`dense-answers.ts`).
 */
import { pickImages } from '../../model/batches.ts'
import type { Feed } from '../../runtime/runtime.ts'
import { channelLayout } from './channel-layout.ts'
import { DenseAnswers } from './dense-answers.ts'
import type { Head } from './heads.ts'
import type { CutModel, EditPlace, LayerBatch } from './trunk.ts'

/** Rows for one run of a head: enough to multiply matrices at full speed, few enough to stay in the cache. */
const MAX_ROWS = 256
/** What the widest value of a head may take for one run. */
const MAX_HEAD_BYTES = 2 ** 26
/** Marks a step at which an image's answer is the one of the step before. */
export const UNCHANGED = -1

/** Rows to be answered in one run. */
export interface RowBlock {
	readonly head: Head
	readonly feeds: Readonly<Record<string, Feed>>
	/** Of each row: the step, and the image within the batch. */
	readonly steps: readonly number[]
	readonly images: readonly number[]
}

/**
 * The rows of a batch, step by step, in blocks for one head each. Step 0 comes first, with every image.
 *
 * @param answers `[steps, count]`, filled in where an answer is known without a row
 */
export function* batchRows(
	net: CutModel,
	batch: LayerBatch,
	order: readonly number[],
	headAt: (pruned: number) => Head,
	answers: Int32Array,
): Generator<RowBlock> {
	const { place, isPerImage } = net
	const everyImage = [...Array(batch.count).keys()]
	const edited = (batch.feeds[place.name]!.data as Float32Array).slice() // float32: `cutModel` checked
	const limit = isPerImage ? Math.max(rowLimit(net), batch.count) : batch.count
	const dense = net.dense && new DenseAnswers(net.dense, edited, batch.count, place.silenced)
	let rows = new Rows(net, batch, headAt(0), limit)
	rows.add(0, edited, everyImage)
	for (const [i, channel] of order.entries()) {
		const touched = silence(place, edited, batch.count, channel, dense)
		const asked = dense ? touched.filter((image) => !isKnown(dense, image, answers, (i + 1) * batch.count)) : touched
		if (asked.length === 0) continue
		const head = headAt(i + 1)
		const added = isPerImage ? asked : everyImage
		if (head !== rows.head || rows.count + added.length > limit) {
			yield rows.block()
			rows = new Rows(net, batch, head, limit)
		}
		rows.add(i + 1, edited, added)
	}
	yield rows.block()
}

/** Writes down the answer that subtraction gives, if it gives one. */
function isKnown(dense: DenseAnswers, image: number, answers: Int32Array, row: number): boolean {
	const label = dense.label(image)
	if (label !== null) answers[row + image] = label
	return label !== null
}

/** Rows that fit one run. */
function rowLimit({ head, model }: CutModel): number {
	const sizes = head.nodes
		.flatMap(({ outputs }) => outputs)
		.map((name) => (model.values.get(name)?.shape ?? []).slice(1).reduce<number>((a, b) => a * (Number(b) || 1), 4))
	return Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_HEAD_BYTES / Math.max(4, ...sizes))))
}

/** Collects rows: copies of what the head reads of each edited image. */
class Rows {
	readonly head: Head
	private readonly net: CutModel
	private readonly batch: LayerBatch
	private readonly size: number
	private readonly data: Float32Array
	private readonly steps: number[] = []
	private readonly images: number[] = []

	constructor(net: CutModel, batch: LayerBatch, head: Head, limit: number) {
		this.net = net
		this.batch = batch
		this.head = head
		this.size = head.reads?.length ?? net.place.silenced.length
		this.data = new Float32Array(limit * this.size)
	}

	get count(): number {
		return this.steps.length
	}

	add(step: number, edited: Float32Array, images: readonly number[]): void {
		const { size, data } = this
		const { reads } = this.head
		const whole = this.net.place.silenced.length
		for (const image of images) {
			const from = image * whole
			const to = this.count * size
			if (!reads) data.set(edited.subarray(from, from + size), to)
			else for (let i = 0; i < size; i++) data[to + i] = edited[from + reads[i]!]!
			this.steps.push(step)
			this.images.push(image)
		}
	}

	block(): RowBlock {
		const { head, steps, images, net, batch } = this
		const { place, crossing, isPerImage } = net
		const data = this.data.subarray(0, this.count * this.size)
		const width = (place.channels * this.size) / place.silenced.length
		const dims = [this.count, ...place.shape.slice(1).map((dim, i) => (i + 1 === place.axis ? width : Number(dim)))]
		const feeds: Record<string, Feed> = { [place.name]: { data, dims } }
		for (const name of crossing) {
			const feed = batch.feeds[name]!
			feeds[name] = isPerImage ? pickImages(feed, images) : feed
		}
		return { head, feeds, steps, images }
	}
}

/** Sets one channel to its silenced value in place, and tells `dense`; returns the images on which that changed anything. */
function silence(
	place: EditPlace,
	edited: Float32Array,
	count: number,
	channel: number,
	dense: DenseAnswers | null,
): number[] {
	const { outer, inner } = channelLayout(place)
	const { silenced, channels } = place
	const touched: number[] = []
	for (let image = 0; image < count; image++) {
		let isChanged = false
		for (let block = 0; block < outer; block++) {
			const begin = (block * channels + channel) * inner
			const offset = image * silenced.length + begin
			for (let i = 0; i < inner; i++) {
				const change = silenced[begin + i]! - edited[offset + i]!
				if (change === 0) continue
				edited[offset + i] = silenced[begin + i]!
				dense?.add(image, begin + i, change)
				isChanged = true
			}
		}
		if (isChanged) touched.push(image)
	}
	return touched
}
