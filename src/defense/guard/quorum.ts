/**
 * A quorum of several B′: `score` = how many of them answer otherwise than B. Repairs that were made differently forget different
 * clean images and, where they work, the same trigger.
 */
import { UsageError } from '../../errors.ts'
import type { Guard, RepairedForm } from './guard.ts'
import { agreements, sumOf } from './score-nodes.ts'

/**
 * The guard that rejects where more than a threshold of `repaired` disagree with B.
 *
 * @param least how many must disagree, 1 to all of them; default: chosen for a false rejection rate, which so coarse a score may not meet
 * @throws UsageError `too-few-nets` for fewer than two, `bad-quorum`
 */
export function quorum(repaired: readonly RepairedForm[], least?: number): Guard {
	if (repaired.length < 2) {
		const message = `a quorum is taken among two repaired nets or more, found ${repaired.length}; disagreement takes one`
		throw new UsageError('too-few-nets', message)
	}
	if (least !== undefined && !(Number.isInteger(least) && least >= 1 && least <= repaired.length)) {
		throw new UsageError('bad-quorum', `a quorum of ${repaired.length} nets is 1 to ${repaired.length}, found ${least}`)
	}
	return {
		kind: 'quorum',
		nets: repaired,
		parameters: { nets: repaired.length },
		threshold: least === undefined ? null : least - 1,
		highest: repaired.length,
		writeScore(tape, { badnet, repaired: nets }) {
			const labels = nets.map(({ label }) => label)
			const agreeing = sumOf(tape, agreements(tape, badnet.label, labels))
			return tape.emit('Sub', [tape.scalar(nets.length), agreeing])
		},
	}
}
