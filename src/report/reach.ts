/** How far a sweep came, and which drops it did not reach. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { pointsLost } from '../metrics/rates.ts'
import { baselineOf, describeSet } from './clean-set.ts'
import { formatPoints } from './format.ts'

/** A line for each drop that no net of the sweep reached, with how far the sweep came. */
export function notReachedLines(run: PruneRun): string[] {
	const reach = farthestDrop(run)
	return run.notReached.map((drop) => `${formatPoints(drop)}: not reached${reach === null ? '' : `; ${reach}`}`)
}

/** How far the sweep came on the validation set, in words; null where nothing was measured on it. */
export function farthestDrop(run: PruneRun): string | null {
	const baseline = baselineOf(run)?.valid
	const { valid } = run.data
	if (!baseline || valid === null) return null
	const lost = run.steps.flatMap((step) => (step.valid ? [pointsLost(baseline, step.valid)] : []))
	const most = Math.max(...run.steps.map((step) => step.pruned))
	const { phrase } = describeSet('valid', valid)
	const fall = Math.max(...lost).toFixed(2)
	return `with up to ${most} of ${run.model.channels} channels pruned, ${phrase} falls by at most ${fall} points`
}
