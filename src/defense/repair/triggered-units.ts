/** Units of a layer by how much a trigger excites them, and what silencing them one after another does. */
import type { CleanCount, PoisonedCount } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import type { Model } from '../../model/model.ts'
import type { RunOptions } from '../../model/predict.ts'
import type { PruneLayer } from '../prune/layer.ts'
import { scoreLayers } from '../prune/rank/score.ts'
import { type Judge, sweepSet } from '../prune/sweep.ts'
import { CleanTally, PoisonedTally } from '../prune/tally.ts'
import { cutModel } from '../prune/trunk.ts'

/**
 * The units of each layer, those first whose mean activation the trigger raises most.
 *
 * @param clean images without the trigger
 * @param triggered the same with it
 */
export async function orderByTrigger(
	model: Model,
	layers: readonly PruneLayer[],
	clean: ImageSet,
	triggered: ImageSet,
	options: RunOptions = {},
): Promise<readonly (readonly number[])[]> {
	const before = await scoreLayers('mean', model, layers, clean, options)
	const after = await scoreLayers('mean', model, layers, triggered, options)
	return before.map((quiet, i) => {
		const rise = quiet.map((value, unit) => after[i]![unit]! - value)
		return [...rise.keys()].sort((a, b) => rise[b]! - rise[a]! || a - b)
	})
}

/** Counts with 0, 1, 2 … units of an order silenced. */
export interface PruningCounts {
	readonly clean: readonly CleanCount[]
	/** Empty where no triggered images were given. */
	readonly triggered: readonly PoisonedCount[]
}

export interface CountedSets {
	/** Labelled. */
	readonly clean: ImageSet
	/** Labelled with the true classes. */
	readonly triggered: ImageSet | null
	/** The label that the trigger leads to. */
	readonly target: number
}

/** What the nets of a pruning order answer on clean and on triggered images, all nets in one pass. */
export async function countPrefixes(
	model: Model,
	layer: PruneLayer,
	order: readonly number[],
	{ clean, triggered, target }: CountedSets,
	{ signal }: RunOptions = {},
): Promise<PruningCounts> {
	const net = await cutModel(model, layer)
	const sweep = async (images: ImageSet, judge: Judge) => {
		const batches = net.layerBatches(images, { signal })
		for await (const _ of sweepSet(net, batches, order, judge, { images: images.count, signal }));
	}
	const steps = [...Array(order.length + 1).keys()]
	const correct = new CleanTally(steps.length, clean.count, clean.labels)
	const hits = triggered && new PoisonedTally(steps.length, triggered.count, { target, trueLabels: triggered.labels })
	try {
		await sweep(clean, correct)
		if (triggered && hits) await sweep(triggered, hits)
	} finally {
		await net.close()
	}
	return { clean: steps.map((step) => correct.net(step)), triggered: hits ? steps.map((step) => hits.net(step)) : [] }
}

/** Units that may be silenced until `maxDrop` points are lost: the last net before the first that has lost more. */
export function allowedPrefix(clean: readonly CleanCount[], maxDrop: number): number {
	const [before] = clean
	const first = clean.findIndex(({ correct, total }) => 100 * (before!.correct - correct) > maxDrop * total)
	return first === -1 ? clean.length - 1 : first - 1
}
