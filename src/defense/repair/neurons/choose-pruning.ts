/** How many neurons to silence, in a given order: as many as clean validation images allow. */
import type { RepairFindings } from '../../../contracts/repair-run.ts'
import type { ImageSet } from '../../../data/image-set.ts'
import type { Model } from '../../../model/model.ts'
import type { RunOptions } from '../../../model/predict.ts'
import { cleanAccuracy } from '../../evaluate.ts'
import type { PruneLayer } from '../../prune/layer.ts'
import { pruneUnits, type RepairedModel } from '../../prune/repaired.ts'

type Candidate = NonNullable<RepairFindings['candidates']>['nets'][number]

export interface PruningChoice {
	readonly model: RepairedModel
	/** Units silenced. */
	readonly pruned: number
	/** All that were measured, none silenced first; the last one may be the first that costs too much. */
	readonly candidates: readonly Candidate[]
}

export interface ChooseOptions extends RunOptions {
	/** Points of clean validation accuracy that may be lost. */
	readonly maxDrop: number
}

/**
 * Silences the first units of `order`, more and more of them, until clean validation accuracy has lost more than `maxDrop` points, and keeps the
 * last net before that.
 *
 * @param places numbered through, as `pruneUnits` has it
 * @param amounts how many units to try, ascending
 * @param valid labelled
 */
export async function choosePruning(
	model: Model,
	places: readonly PruneLayer[],
	order: readonly number[],
	amounts: readonly number[],
	valid: ImageSet,
	{ maxDrop, signal, onProgress }: ChooseOptions,
): Promise<PruningChoice> {
	const measure = (net: Model) => cleanAccuracy(net, valid, { signal })
	const before = await measure(model)
	const candidates: Candidate[] = [{ amount: 0, valid: before }]
	let chosen: RepairedModel = { ...model, pruning: [] }
	let pruned = 0
	for (const [i, amount] of amounts.entries()) {
		const net = pruneUnits(model, places, order.slice(0, amount))
		const after = await measure(net)
		candidates.push({ amount, valid: after })
		// In whole images, so that 2 points of 500 are ten of them.
		if (100 * (before.correct - after.correct) > maxDrop * before.total) break
		chosen = net
		pruned = amount
		onProgress?.(i + 1, amounts.length)
	}
	return { model: chosen, pruned, candidates }
}
