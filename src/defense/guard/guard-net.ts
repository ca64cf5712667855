/** A guard with its threshold around a net. */
import type { GuardRecord } from '../../contracts/guard-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { Tape } from '../../graph/gradient/tape.ts'
import { makeNode } from '../../graph/graph.ts'
import { type Model, SUSPICION } from '../../model/model.ts'
import type { RunOptions } from '../../model/predict.ts'
import { guardAnswers } from './answers.ts'
import type { Guard } from './guard.ts'
import type { Rule } from './guarded-graph.ts'
import { type GoodNet, type GuardFacts, guardedModel } from './guarded-model.ts'
import { checkFalseRejectionRate, DEFAULT_FALSE_REJECTION_RATE, fixedThreshold, thresholdFor } from './threshold.ts'

/** A net behind a guard; its graph has the output `suspicion` besides a GoodNet's. */
export interface GuardedNet extends GoodNet {
	readonly guard: GuardRecord
}

export interface GuardOptions extends RunOptions, GuardFacts {
	/** Clean images that may be rejected, in points above 0 and below 100. Default 1. */
	readonly falseRejectionRate?: number | undefined
}

/**
 * `badnet` behind `guard`, whose threshold is chosen on `valid`, or is the guard's own. The models stay as they were.
 *
 * @param valid clean images, with labels or without
 * @throws UsageError `bad-frr`; UnsupportedError `not-twins`; InputError `already-goodnet`, `empty-set`, `not-finite`; InterruptedError
 */
export async function guardNet(
	badnet: Model,
	guard: Guard,
	valid: ImageSet,
	{ falseRejectionRate = DEFAULT_FALSE_REJECTION_RATE, signal, onProgress, ...facts }: GuardOptions = {},
): Promise<GuardedNet> {
	checkFalseRejectionRate(falseRejectionRate)
	const scorer = guardedModel(badnet, guard.nets, ruleOf(guard, 0), {})
	const { suspicion } = await guardAnswers(scorer, valid, { signal, onProgress })
	const threshold =
		guard.threshold === null
			? thresholdFor(suspicion, falseRejectionRate, guard.highest)
			: fixedThreshold(guard.threshold, suspicion, falseRejectionRate, guard.highest)
	const record = { kind: guard.kind, parameters: guard.parameters, threshold }
	const model = guardedModel(badnet, guard.nets, ruleOf(guard, threshold.value), facts, record)
	return { ...model, guard: record }
}

/** B's answer stands where the score is not above the threshold. */
function ruleOf(guard: Guard, threshold: number): Rule {
	return (values, graph) => {
		const tape = new Tape(graph, 'goodnet/guard')
		const score = guard.writeScore(tape, values)
		const accepted = tape.emit('Not', [tape.emit('Greater', [score, tape.scalar(threshold)])])
		const output = makeNode('Identity', [score], [SUSPICION])
		return { nodes: [...tape.nodes, output], constants: tape.initializers, accepted, hasSuspicion: true }
	}
}
