/** More images than there are: the same ones again and again. */
import { type ImageSet, memoryImages } from 'goodnet/node'

/** The first `count` images of `set` repeated without end, in memory, so that reading files is not what is timed. */
export async function tile(
	set: ImageSet,
	count: number,
): Promise<{ readonly images: ImageSet; readonly pixels: Uint8Array }> {
	const size = set.height * set.width * set.channels
	const pixels = new Uint8Array(count * size)
	const once = new Uint8Array(set.count * size)
	for await (const batch of set.batches(64)) once.set(batch.pixels, batch.start * size)
	for (let i = 0; i < count; i += set.count) {
		pixels.set(once.subarray(0, Math.min(set.count, count - i) * size), i * size)
	}
	const labels = Int32Array.from({ length: count }, (_, i) => set.labels![i % set.count]!)
	const images = memoryImages({ ...set, path: `${set.path} tiled`, pixels, count, labels })
	return { images, pixels }
}
