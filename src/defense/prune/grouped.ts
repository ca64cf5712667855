/** Small batches suit the trunk, whose maps then stay in the cache; a head wants many rows at once. So what the trunk gives is put together. */
import { joinImages } from '../../model/batches.ts'
import { rowLimit } from './rows.ts'
import type { CutModel, LayerBatch } from './trunk.ts'

/** Images that are swept together, unless so many rows are too many for one run of the head. */
const MAX_GROUP = 192

/** `batches`, several consecutive ones joined, with what the head reads of them. As they are where a head looks at its batch as a whole. */
export async function* grouped(net: CutModel, batches: AsyncIterable<LayerBatch>): AsyncGenerator<LayerBatch> {
	if (!net.isPerImage) {
		yield* batches
		return
	}
	const limit = Math.min(MAX_GROUP, rowLimit(net))
	let group: LayerBatch[] = []
	let count = 0
	for await (const batch of batches) {
		if (count > 0 && count + batch.count > limit) {
			yield join(net, group)
			group = []
			count = 0
		}
		group.push(batch)
		count += batch.count
	}
	if (count > 0) yield join(net, group)
}

function join({ place, crossing }: CutModel, group: readonly LayerBatch[]): LayerBatch {
	const [first, ...others] = group as [LayerBatch, ...LayerBatch[]]
	if (others.length === 0) return first
	const count = group.reduce((sum, batch) => sum + batch.count, 0)
	const names = [place.name, ...crossing]
	const joined = names.map((name) => [
		name,
		joinImages(
			group.map(({ feeds }) => feeds[name]!),
			count,
		),
	])
	return { start: first.start, count, feeds: Object.fromEntries(joined) }
}
