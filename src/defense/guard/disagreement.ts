/**
 * Disagreement of B and one B′ (the GoodNet of CSAW HackML 2020, lab 3, with a scale): how much likelier B′ finds its own favourite
 * among the other labels than B's answer, `score = max_{j ≠ b} z′_j − z′_b` with B's answer b and the logits z′ of B′. A difference
 * of logits is one of log-probabilities. It is above 0 where B′ answers otherwise, and below where it agrees; how far below tells how
 * nearly it did not.
 */
import type { Guard, RepairedForm } from './guard.ts'
import { asFloat, largestOther, oneHot, valueAt } from './score-nodes.ts'

/** The guard by disagreement with `repaired`, its threshold chosen for a false rejection rate. */
export function disagreement(repaired: RepairedForm): Guard {
	return {
		kind: 'disagreement',
		nets: [repaired],
		parameters: {},
		threshold: null,
		highest: Number.POSITIVE_INFINITY,
		writeScore(tape, { badnet, repaired: [net], classes }) {
			const logits = asFloat(tape, net!.logits) // of the one net above
			const hot = oneHot(tape, badnet.label, classes)
			return tape.emit('Sub', [largestOther(tape, logits, hot), valueAt(tape, logits, hot)])
		},
	}
}

/**
 * The plain GoodNet as a guard: the same with threshold 0, whatever that rejects. It answers as `GoodNet.of` does, but for images to
 * which B′ gives two labels with exactly one logit, B's among them: these count as agreed.
 */
export function plainGoodNet(repaired: RepairedForm): Guard {
	return { ...disagreement(repaired), kind: 'goodnet', threshold: 0 }
}
