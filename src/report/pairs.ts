/** B against its repaired twin on the very same clean images: McNemar's exact test (McNemar 1947), from counts the run already has. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { mcnemar } from '../metrics/mcnemar.ts'
import { chosenNet } from './chosen.ts'
import { baselineOf, cleanCount, cleanSetOf } from './clean-set.ts'

/** Below this a p-value says no more than "surely different". */
const SMALLEST_P = 0.001

/**
 * One line for each repaired net: how many images only B, and only the repaired net, got right, and how likely so uneven a split is
 * if both were equally good. A GoodNet is right exactly where both are, which gives the two counts.
 */
export function pairedLines(run: PruneRun): string[] {
	const set = cleanSetOf(run)
	const baseline = baselineOf(run)
	const before = baseline && cleanCount(baseline, set)
	if (!before) return []
	return run.repaired.flatMap((record) => {
		const after = cleanCount(record, set)
		const both = cleanCount(record.goodnet, set)
		if (!after || !both) return []
		const [onlyB, onlyRepaired] = [before.correct - both.correct, after.correct - both.correct]
		return [
			`B against ${chosenNet(record)}: ${onlyB} images only B gets right, ${onlyRepaired} only the repaired net; McNemar ${formatP(mcnemar(onlyB, onlyRepaired))}`,
		]
	})
}

function formatP(p: number): string {
	return p < SMALLEST_P ? `p < ${SMALLEST_P}` : `p = ${p.toFixed(3)}`
}
