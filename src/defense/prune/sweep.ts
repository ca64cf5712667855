/**
 * The sweep: every net of the pruning order judged on one set of images, in one pass over it. Per batch the trunk's output is edited
 * channel by channel; where a channel was not silent already, the image as it is now becomes a *row*, and rows of many steps are answered
 * together by the head. For all other images nothing changes at that step. The counts equal those of writing each pruned net to a file and
 * running it whole.
 */
import { throwIfAborted } from '../../errors.ts'
import { pickImages } from '../../model/batches.ts'
import { mapAhead } from '../../model/pipeline.ts'
import type { Feed } from '../../runtime/runtime.ts'
import { channelLayout } from './channel-layout.ts'
import { type Head, makeHeads } from './heads.ts'
import type { CutModel, EditPlace, LayerBatch } from './trunk.ts'

/** Told, for each image and each step, what the pruned net and B answer. Step 0 is B itself. */
export interface Judge {
	/**
	 * @param image index within the set
	 * @param label what the net of this step answers
	 * @param original what B answers
	 */
	judge(step: number, image: number, label: number, original: number): void
}

/** Rows for one run of a head: enough to multiply matrices at full speed, few enough to stay in the cache. */
const MAX_ROWS = 256
/** What the widest value of a head may take for one run. */
const MAX_HEAD_BYTES = 2 ** 26
/** Marks a step at which an image's answer is the one of the step before. */
const UNCHANGED = -1

/**
 * Lets `judge` see the answers of every net in the order on every image.
 *
 * @param images number of images to come
 * @returns after each batch, the number of the first image that has not been judged yet
 */
export async function* sweepSet(
	net: CutModel,
	batches: AsyncIterable<LayerBatch>,
	order: readonly number[],
	judge: Judge,
	{ images, signal }: { readonly images: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<number> {
	const heads = makeHeads(net, order, images)
	try {
		const blocks = rowBlocks(net, batches, order, (pruned) => heads.at(pruned), signal)
		const answered = mapAhead(blocks, net.model.runtime.lanes, async (block) => {
			const { head, feeds, steps } = block
			return { block, labels: await head.answer(feeds, steps.length) }
		})
		for await (const { block, labels } of answered) {
			const { answers, batch, steps, images: picks, isLast } = block
			for (const [row, label] of labels.entries()) answers[steps[row]! * batch.count + picks[row]!] = label
			if (!isLast) continue
			judgeBatch(judge, batch, answers, order.length + 1)
			yield batch.start + batch.count
		}
	} finally {
		await heads.close()
	}
}

/** Rows to be answered in one run. */
interface RowBlock {
	readonly batch: LayerBatch
	/** `[steps, count]` of the whole batch: what each net answers; rows not asked for stay `UNCHANGED`. */
	readonly answers: Int32Array
	readonly head: Head
	readonly feeds: Readonly<Record<string, Feed>>
	/** Of each row: the step, and the image within the batch. */
	readonly steps: readonly number[]
	readonly images: readonly number[]
	/** No more rows of this batch follow. */
	readonly isLast: boolean
}

async function* rowBlocks(
	net: CutModel,
	batches: AsyncIterable<LayerBatch>,
	order: readonly number[],
	headAt: (pruned: number) => Head,
	signal: AbortSignal | undefined,
): AsyncGenerator<RowBlock> {
	for await (const batch of batches) {
		throwIfAborted(signal)
		const answers = new Int32Array((order.length + 1) * batch.count).fill(UNCHANGED)
		let last: Omit<RowBlock, 'isLast'> | undefined
		for (const rows of batchRows(net, batch, order, headAt)) {
			if (last) yield { ...last, isLast: false }
			last = { ...rows, batch, answers }
		}
		yield { ...last!, isLast: true }
	}
}

/** The rows of a batch, step by step, in blocks for one head each. Step 0 comes first, with every image. */
function* batchRows(
	net: CutModel,
	batch: LayerBatch,
	order: readonly number[],
	headAt: (pruned: number) => Head,
): Generator<Pick<RowBlock, 'head' | 'feeds' | 'steps' | 'images'>> {
	const { place, isPerImage } = net
	const everyImage = [...Array(batch.count).keys()]
	const edited = (batch.feeds[place.name]!.data as Float32Array).slice() // float32: `cutModel` checked
	const limit = isPerImage ? Math.max(rowLimit(net), batch.count) : batch.count
	let rows = new Rows(net, batch, headAt(0), limit)
	rows.add(0, edited, everyImage)
	for (const [i, channel] of order.entries()) {
		const touched = silence(place, edited, batch.count, channel)
		if (touched.length === 0) continue
		const head = headAt(i + 1)
		const added = isPerImage ? touched : everyImage
		if (head !== rows.head || rows.count + added.length > limit) {
			yield rows.block()
			rows = new Rows(net, batch, head, limit)
		}
		rows.add(i + 1, edited, added)
	}
	yield rows.block()
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

	block(): Pick<RowBlock, 'head' | 'feeds' | 'steps' | 'images'> {
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

/** Sets one channel to its silenced value in place; returns the images on which that changed anything. */
function silence(place: EditPlace, edited: Float32Array, count: number, channel: number): number[] {
	const { outer, inner } = channelLayout(place)
	const { silenced, channels } = place
	const touched: number[] = []
	for (let image = 0; image < count; image++) {
		let isChanged = false
		for (let block = 0; block < outer; block++) {
			const begin = (block * channels + channel) * inner
			const offset = image * silenced.length + begin
			for (let i = 0; i < inner; i++) {
				if (edited[offset + i] === silenced[begin + i]) continue
				edited[offset + i] = silenced[begin + i]!
				isChanged = true
			}
		}
		if (isChanged) touched.push(image)
	}
	return touched
}

/** Fills in the steps at which nothing changed, and tells the judge. */
function judgeBatch(judge: Judge, { start, count }: LayerBatch, answers: Int32Array, steps: number): void {
	for (let image = 0; image < count; image++) {
		const original = answers[image]!
		let label = original
		for (let step = 0; step < steps; step++) {
			const answer = answers[step * count + image]!
			if (answer !== UNCHANGED) label = answer
			judge.judge(step, start + image, label, original)
		}
	}
}
