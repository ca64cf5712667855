/**
 * Flip depth: how far along a pruning order B's answer holds. Nets with more and more channels pruned, the checkpoints, answer in turn;
 * the depth is how many of them in a row, from the first on, give B's answer: 0 to m.
 *
 * Which depths are suspicious depends on the order. Where it puts suspicious channels first (`clp`, `bnp`, reversed triggers), a triggered
 * answer flips `early`: `score = −depth`. Where it puts channels first that are idle on clean images (`mean`, `max`), a backdoor that shares the
 * net's busy channels outlives every clean answer, and to flip `late` is suspicious: `score = depth`, the argument of STRIP (Gao et al.,
 * arXiv:1902.06531) with pruning in place of blending. No clean image can tell which; so it is for the caller to say.
 */
import type { SuspectFlips } from '../../contracts/guard-run.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import type { PruneLayer } from '../prune/layer.ts'
import { checkChannels, pruneChannels } from '../prune/repaired.ts'
import type { Guard } from './guard.ts'
import { agreements, sumOf } from './score-nodes.ts'

/** Each checkpoint costs a head; beyond some eight the heads cost more than the net. */
const DEFAULT_CHECKPOINTS = 8

export interface FlipDepthOptions {
	/** Nets along the order, 1 or more. Default 8. */
	readonly checkpoints?: number | undefined
	/** Default `early`. */
	readonly suspect?: SuspectFlips | undefined
}

/**
 * The guard by flip depth along `order`, its threshold chosen for a false rejection rate.
 *
 * @param order channel numbers of `layer`, first pruned first
 * @throws InputError `bad-channels`; UsageError `bad-checkpoints`
 */
export function flipDepth(
	badnet: Model,
	layer: PruneLayer,
	order: readonly number[],
	{ checkpoints = DEFAULT_CHECKPOINTS, suspect = 'early' }: FlipDepthOptions = {},
): Guard {
	checkChannels(badnet, layer, order)
	const counts = checkpointsOf(order.length, checkpoints)
	return {
		kind: 'flip-depth',
		nets: counts.map((count) => pruneChannels(badnet, layer, order.slice(0, count))),
		parameters: { layer: layer.name, order: [...order], checkpoints: counts, suspect },
		threshold: null,
		highest: suspect === 'early' ? 0 : counts.length,
		writeScore(tape, { badnet: { label }, repaired }) {
			const agree = agreements(
				tape,
				label,
				repaired.map((net) => net.label),
			)
			const holding: string[] = []
			// Product of all so far: 1 as long as nobody disagreed.
			for (const each of agree) holding.push(holding.length ? tape.emit('Mul', [holding.at(-1)!, each]) : each)
			const depth = sumOf(tape, holding)
			return suspect === 'early' ? tape.emit('Neg', [depth]) : depth
		},
	}
}

/** Counts of pruned channels, evenly spaced along an order of `length`, each once: never none of them, and not all. */
function checkpointsOf(length: number, checkpoints: number): number[] {
	if (!Number.isInteger(checkpoints) || checkpoints < 1) {
		throw new UsageError('bad-checkpoints', `expected a whole number of checkpoints from 1, found ${checkpoints}`)
	}
	const counts = Array.from({ length: checkpoints }, (_, i) => Math.round(((i + 1) * length) / (checkpoints + 1)))
	const apart = [...new Set(counts)].filter((count) => count > 0 && count < length)
	if (apart.length > 0) return apart
	const message = `an order of ${length} channels has no net between none pruned and all; expected two channels or more`
	throw new UsageError('bad-checkpoints', message)
}
