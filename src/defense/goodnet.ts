/**
 * GoodNet: a net B and its repaired twin B′ in one graph. Where both give the same label, that is the answer; where they differ, the
 * input looks triggered and the answer is class C, "rejected" (CSAW HackML 2020, lab 3). What the two have in common runs once.
 */
import { makeNode } from '../graph/graph.ts'
import type { Model } from '../model/model.ts'
import type { RepairedForm } from './guard/guard.ts'
import type { Rule } from './guard/guarded-graph.ts'
import { type GoodNet as GuardedModel, type GuardFacts, guardedModel } from './guard/guarded-model.ts'

export type GoodNet = GuardedModel

export const GoodNet = {
	/**
	 * Wraps `badnet` and a repaired form of it. The outputs are `label` int64 `[N]`, `rejected` bool `[N]` and `scores` float32 `[N, C]`
	 * (B's); inputs and preprocessing are B's. Neither model is changed.
	 *
	 * @throws UnsupportedError `not-twins` where the two are not forms of one net (inputs, classes or operator sets differ)
	 */
	of(badnet: Model, repaired: RepairedForm, facts: GuardFacts = {}): GoodNet {
		return guardedModel(badnet, [repaired], sameLabel, facts)
	},
}

/** Of the same label by both nets; the score of the guard `disagreement` is above 0 where they differ. */
const sameLabel: Rule = ({ badnet, repaired: [net] }) => {
	const accepted = 'goodnet/agree'
	const nodes = [makeNode('Equal', [badnet.label, net!.label], [accepted])] // of the one net above
	return { nodes, constants: new Map(), accepted, hasSuspicion: false }
}
