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
 * @param rows an empty collector
 * @param answers `[steps, count]`, filled in where an answer is known without a row
 */
export function* batchRows(
	net: CutModel,
	batch: LayerBatch,
	order: readonly number[],
	headAt: (pruned: number) => Head,
	rows: Rows,
	answers: Int32Array,
): Generator<RowBlock> {
	const { place, isPerImage } = net
	const everyImage = [...Array(batch.count).keys()]
	const edited = (batch.feeds[place.name]!.data as Float32Array).slice() // float32: `cutModel` checked
	const limit = isPerImage ? Math.max(rowLimit(net), batch.count) : batch.count
	const dense = net.dense && new DenseAnswers(net.dense, edited, batch.count, place.silenced)
	rows.add(headAt(0), 0, edited, everyImage)
	for (const [i, channel] of order.entries()) {
		const step = i + 1
		const touched = silence(place, edited, batch.count, channel, dense)
		const asked = dense ? touched.filter((image) => !isKnown(dense, image, answers, step * batch.count)) : touched
		if (asked.length === 0) continue
		const added = isPerImage ? asked : everyImage
		if (rows.isFullFor(headAt(step), added.length, limit)) yield rows.take(batch)
		rows.add(headAt(step), step, edited, added)
	}
	yield rows.take(batch)
}

/** Writes down the answer that subtraction gives, if it gives one. */
function isKnown(dense: DenseAnswers, image: number, answers: Int32Array, row: number): boolean {
	const label = dense.label(image)
	if (label !== null) answers[row + image] = label
	return label !== null
}

/** Rows that fit one run. */
export function rowLimit({ head, model }: CutModel): number {
	const sizes = head.nodes
		.flatMap(({ outputs }) => outputs)
		.map((name) => (model.values.get(name)?.shape ?? []).slice(1).reduce<number>((a, b) => a * (Number(b) || 1), 4))
	return Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_HEAD_BYTES / Math.max(4, ...sizes))))
}

/** Collects rows: copies of what the head reads of each edited image. One is made for a whole sweep, and its buffer is used again and again. */
export class Rows {
	private buffer = new Float32Array()
	private head: Head | undefined
	private steps: number[] = []
	private images: number[] = []
	private readonly net: CutModel

	constructor(net: CutModel) {
		this.net = net
	}

	/** Are `count` more rows for `head` too many, or for another head than those collected? */
	isFullFor(head: Head, count: number, limit: number): boolean {
		return this.steps.length > 0 && (head !== this.head || this.steps.length + count > limit)
	}

	add(head: Head, step: number, edited: Float32Array, images: readonly number[]): void {
		this.head = head
		const { reads } = head
		const size = this.size
		const whole = this.net.place.silenced.length
		this.reserve((this.steps.length + images.length) * size)
		for (const image of images) {
			const from = image * whole
			const to = this.steps.length * size
			if (!reads) this.buffer.set(edited.subarray(from, from + size), to)
			else for (let i = 0; i < size; i++) this.buffer[to + i] = edited[from + reads[i]!]!
			this.steps.push(step)
			this.images.push(image)
		}
	}

	/** What was collected, as feeds of their own; nothing is left. */
	take({ feeds: given }: LayerBatch): RowBlock {
		const { head, steps, images, size } = this
		const { place, crossing, isPerImage } = this.net
		const count = steps.length
		const width = (place.channels * size) / place.silenced.length
		const dims = [count, ...place.shape.slice(1).map((dim, i) => (i + 1 === place.axis ? width : Number(dim)))]
		const feeds: Record<string, Feed> = { [place.name]: { data: this.buffer.slice(0, count * size), dims } }
		for (const name of crossing) feeds[name] = isPerImage ? pickImages(given[name]!, images) : given[name]!
		this.steps = []
		this.images = []
		return { head: head!, feeds, steps, images }
	}

	private get size(): number {
		return this.head?.reads?.length ?? this.net.place.silenced.length
	}

	private reserve(length: number): void {
		if (length <= this.buffer.length) return
		const larger = new Float32Array(Math.max(length, 2 * this.buffer.length))
		larger.set(this.buffer)
		this.buffer = larger
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
