/**
 * A quorum of several B′: `score` = how many of them answer otherwise than B. Repairs that were made differently forget different
 * clean images and, where they work, the same trigger.
 */
import { UsageError } from '../../errors.ts'
import type { Guard, RepairedForm } from './guard.ts'
import { agreements, sumOf } from './score-nodes.ts'

/**
 * The guard that rejects where more than a threshold of `repaired` disagree with B, the threshold chosen for a false rejection rate.
 * @throws UsageError `too-few-nets` for fewer than two
 */
export function quorum(repaired: readonly RepairedForm[]): Guard {
	if (repaired.length < 2) {
		const message = `a quorum is taken among two repaired nets or more, found ${repaired.length}; disagreement takes one`
		throw new UsageError('too-few-nets', message)
	}
	return {
		kind: 'quorum',
		nets: repaired,
		parameters: { nets: repaired.length },
		threshold: null,
		highest: repaired.length,
		writeScore(tape, { badnet, repaired: nets }) {
			const labels = nets.map(({ label }) => label)
			const agreeing = sumOf(tape, agreements(tape, badnet.label, labels))
			return tape.emit('Sub', [tape.scalar(nets.length), agreeing])
		},
	}
}
