/**
 * The trunk's output over a set, remembered for a second pass: in memory as far as that goes, then in a scratch file, and computed again
 * beyond that.
 */
import type { ImageSet } from '../../data/image-set.ts'
import type { RunOptions } from '../../model/predict.ts'
import type { Feed, TensorData } from '../../runtime/runtime.ts'
import type { CutModel, LayerBatch } from './trunk.ts'

/** 64 MiB: enough for the 11,547 faces of the lab, which take 55 MB. */
const MEMORY_BYTES = 2 ** 26

/** Where activations go that do not fit into memory. `goodnet/node` offers a temporary file. */
export interface ActivationStore {
	/** @returns the place to read them back from; null where there is no room */
	put(bytes: Uint8Array): Promise<number | null>
	get(place: number, length: number): Promise<Uint8Array>
}

export interface BatchSource {
	/** Number of images. */
	readonly count: number
	/** Batches from image `from` on, which must be where a batch begins. */
	batches(options?: RunOptions & { readonly from?: number }): AsyncGenerator<LayerBatch>
}

/** A set that is read once. */
export function readOnce(net: CutModel, images: ImageSet): BatchSource {
	return { count: images.count, batches: (options) => net.layerBatches(images, options) }
}

/**
 * A set that is read twice. The first pass yields all that the trunk gives, the second what the head reads.
 *
 * @param memoryBytes how much to remember in memory
 */
export function readTwice(
	net: CutModel,
	images: ImageSet,
	store: ActivationStore | undefined,
	memoryBytes = MEMORY_BYTES,
): BatchSource {
	const kept: (() => Promise<LayerBatch>)[] = []
	let end = 0
	let bytes = 0
	let passes = 0
	const keep = async (batch: LayerBatch): Promise<void> => {
		if (batch.start !== end) return
		const wanted = forHead(net, batch)
		bytes += sizeOf(wanted)
		const fetch = bytes <= memoryBytes ? async () => wanted : store && (await putAside(store, wanted))
		if (!fetch) return
		kept.push(fetch)
		end = batch.start + batch.count
	}
	return {
		count: images.count,
		async *batches({ from = 0, ...options } = {}) {
			// Only a first pass over the whole set is worth keeping: one that is resumed has a second pass of its own to make.
			const isFirst = passes++ === 0
			if (from === 0) for (const fetch of kept) yield await fetch()
			const next = from === 0 ? end : from
			if (next >= images.count) return
			for await (const batch of net.layerBatches(images, { ...options, from: next })) {
				if (isFirst && from === 0) await keep(batch)
				yield batch
			}
		},
	}
}

/** Without the layer's own output where the net is cut behind it. */
function forHead({ place, crossing }: CutModel, { start, count, feeds }: LayerBatch): LayerBatch {
	const names = [place.name, ...crossing]
	return { start, count, feeds: Object.fromEntries(names.map((name) => [name, feeds[name]!])) }
}

async function putAside(store: ActivationStore, batch: LayerBatch): Promise<(() => Promise<LayerBatch>) | undefined> {
	const places: [name: string, feed: Omit<Feed, 'data'>, make: Make, place: number, length: number][] = []
	for (const [name, { data, ...feed }] of Object.entries(batch.feeds)) {
		const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
		const place = await store.put(bytes)
		if (place === null) return undefined
		// Every typed array has this constructor over a buffer.
		places.push([name, feed, data.constructor as Make, place, bytes.length])
	}
	return async () => {
		const feeds: Record<string, Feed> = {}
		for (const [name, feed, ArrayOf, place, length] of places) {
			const { buffer } = await store.get(place, length)
			feeds[name] = { ...feed, data: new ArrayOf(buffer) }
		}
		return { ...batch, feeds }
	}
}

type Make = new (buffer: ArrayBufferLike) => TensorData

function sizeOf({ feeds }: LayerBatch): number {
	return Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0)
}
