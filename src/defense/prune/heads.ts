/**
 * The head of a cut net, made ready to answer rows. The more channels are pruned, the more of the head's input is zero, so it is narrowed
 * (`graph/narrow.ts`) a few times along the pruning order; the session of each is made when the first row wants it.
 */
import { answerNodes } from '../../graph/answer.ts'
import type { Graph } from '../../graph/graph.ts'
import { narrowInput } from '../../graph/narrow.ts'
import { freshName, valueNames } from '../../graph/query.ts'
import { runBatch } from '../../model/batches.ts'
import type { Feed, Session, TensorData } from '../../runtime/runtime.ts'
import { channelLayout, eachRun } from './channel-layout.ts'
import type { CutModel } from './trunk.ts'

/** A head is made anew when it could do with this share of the channels that the last one reads. */
const NARROWING = 0.5
/** Weights beyond this are not copied for narrower heads: 64 MiB, where a whole net of VGG's size would take gigabytes. */
const MAX_NARROWED_BYTES = 2 ** 26
/** Below this many images the heads' own making would cost more than they save. */
const MIN_IMAGES = 2000

/** A head and the steps it serves: those from `from` on, until the next head's. */
export interface Head {
	/** First step, counted in pruned channels. */
	readonly from: number
	/** Entries of one image of the edited value that the head reads, in its order; null for all. */
	readonly reads: Int32Array | null
	/** Labels of `count` rows `[count]`, from the edited value (its `reads` entries) and the crossing values. */
	answer(feeds: Readonly<Record<string, Feed>>, count: number): Promise<Int32Array>
}

export interface Heads {
	/** The head for nets with `pruned` channels pruned. */
	at(pruned: number): Head
	close(): Promise<void>
}

/** @param images how many images will be judged: decides whether narrowing pays */
export function makeHeads(net: CutModel, order: readonly number[], images: number): Heads {
	const heads: LazyHead[] = [new LazyHead(net, net.head, 0, null)]
	const isWorthIt = images >= MIN_IMAGES && net.isPerImage && net.model.input.batch === null && !net.dense
	if (isWorthIt && weightBytes(net.head) <= MAX_NARROWED_BYTES) heads.push(...narrowed(net, order))
	return {
		at: (pruned) => heads.findLast(({ from }) => from <= pruned)!,
		close: async () => {
			await Promise.allSettled(heads.map((head) => head.close()))
		},
	}
}

function weightBytes({ initializers }: Graph): number {
	return [...initializers.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function narrowed(net: CutModel, order: readonly number[]): LazyHead[] {
	const { place, head, model } = net
	const heads: LazyHead[] = []
	let width = place.channels
	const left = new Set(Array(place.channels).keys())
	for (const [i, channel] of order.entries()) {
		if (isZero(net, channel)) left.delete(channel)
		if (left.size > width * NARROWING || left.size === 0) continue
		const channels = [...left].sort((a, b) => a - b)
		const graph = narrowInput(head, place.name, place.axis, channels, (name) => model.values.get(name)!)
		if (!graph) return []
		width = left.size
		heads.push(new LazyHead(net, graph, i + 1, channels))
	}
	return heads
}

/** Is the channel zero everywhere once it is pruned? */
function isZero({ place }: CutModel, channel: number): boolean {
	return entriesOf(place, [channel]).every((entry) => place.silenced[entry] === 0)
}

/** The entries of one image that belong to `channels`, in memory order. */
function entriesOf(place: CutModel['place'], channels: readonly number[]): Int32Array {
	const entries: number[] = []
	const wanted = new Set(channels)
	eachRun(channelLayout(place), 1, (channel, begin, end) => {
		if (wanted.has(channel)) for (let i = begin; i < end; i++) entries.push(i)
	})
	return Int32Array.from(entries)
}

/** Labels out of int64: the lower half of each, without a BigInt for every row. Little-endian, as everything that ONNX Runtime runs on. */
function lowWords(labels: TensorData): Int32Array {
	const words = new Int32Array(labels.buffer, labels.byteOffset, labels.length * 2)
	return Int32Array.from({ length: labels.length }, (_, i) => words[2 * i]!)
}

class LazyHead implements Head {
	readonly from: number
	readonly reads: Int32Array | null
	private readonly net: CutModel
	private readonly graph: Graph
	private readonly label: string
	private session: Promise<Session> | undefined

	constructor(net: CutModel, head: Graph, from: number, channels: readonly number[] | null) {
		const { model, place } = net
		this.net = net
		this.from = from
		this.reads = channels && entriesOf(place, channels)
		this.label = freshName(valueNames(head), 'goodnet/label')
		const labels = { name: this.label, dtype: 'int64', shape: [model.input.batch ?? 'N'] } as const
		this.graph = { ...head, nodes: [...head.nodes, ...answerNodes(model.logits, this.label)], outputs: [labels] }
	}

	async answer(feeds: Readonly<Record<string, Feed>>, count: number): Promise<Int32Array> {
		// Rows are copies made for this run; whole batches are still in use.
		const { model, isPerImage } = this.net
		this.session ??= model.runtime.load(this.graph)
		const results = await runBatch(await this.session, feeds, count, model.input.batch, isPerImage)
		return lowWords(results[this.label]!.data)
	}

	async close(): Promise<void> {
		await (await this.session)?.close()
	}
}
