/**
 * The sweep: every net of the pruning order judged on one set of images, in one pass over it. Per batch the trunk's output is edited
 * channel by channel; where a channel was not silent already, the image as it is now becomes a *row*, and rows of many steps are answered
 * together by the head. For all other images nothing changes at that step. The counts equal those of writing each pruned net to a file and
 * running it whole.
 */
import { throwIfAborted } from '../../errors.ts'
import { mapAhead } from '../../model/pipeline.ts'
import { grouped } from './grouped.ts'
import { type Head, makeHeads } from './heads.ts'
import { batchRows, type RowBlock, Rows, UNCHANGED } from './rows.ts'
import type { CutModel, LayerBatch } from './trunk.ts'

/** Told, for each image and each step, what the pruned net and B answer. Step 0 is B itself. */
export interface Judge {
	/**
	 * @param image index within the set
	 * @param label what the net of this step answers
	 * @param original what B answers
	 */
	judge(step: number, image: number, label: number, original: number): void
}

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

/** Rows of a batch on their way. */
interface BatchBlock extends RowBlock {
	readonly batch: LayerBatch
	/** `[steps, count]` of the whole batch: what each net answers. */
	readonly answers: Int32Array
	/** No more rows of this batch follow. */
	readonly isLast: boolean
}

async function* rowBlocks(
	net: CutModel,
	batches: AsyncIterable<LayerBatch>,
	order: readonly number[],
	headAt: (pruned: number) => Head,
	signal: AbortSignal | undefined,
): AsyncGenerator<BatchBlock> {
	const collected = new Rows(net)
	for await (const batch of grouped(net, batches)) {
		const answers = new Int32Array((order.length + 1) * batch.count).fill(UNCHANGED)
		let last: Omit<BatchBlock, 'isLast'> | undefined
		for (const rows of batchRows(net, batch, order, headAt, collected, answers)) {
			throwIfAborted(signal)
			if (last) yield { ...last, isLast: false }
			last = { ...rows, batch, answers }
		}
		yield { ...last!, isLast: true }
	}
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
