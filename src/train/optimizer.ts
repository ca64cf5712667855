/** What an optimizer is: nodes that turn a parameter and its gradient into the parameter of the next step. */
import { UsageError } from '../errors.ts'
import type { Tape } from '../graph/gradient/tape.ts'

/** One parameter at one step, as values of the graph. */
export interface UpdateStep {
	readonly tape: Tape
	readonly parameter: string
	readonly gradient: string
	/** What the optimizer remembers of this parameter, in the order of `slots`, each of the parameter's shape. */
	readonly slots: readonly string[]
	/** Values of the scalars `[]`, by name. */
	readonly scalars: Readonly<Record<string, string>>
	/** Does weight decay apply? It does to kernels, not to biases and normalization. */
	readonly decays: boolean
}

export interface Optimizer {
	/** Names of what it remembers of each parameter, all zeros at the start. */
	readonly slots: readonly string[]
	/** Numbers that change from step to step. @param step counted from 1 @param rate the learning rate of this step */
	scalars(step: number, rate: number): Readonly<Record<string, number>>
	update(step: UpdateStep): { readonly parameter: string; readonly slots: readonly string[] }
}

/**
 * Refuses what no optimizer can use: a weight decay below 0, and a decay of averages (momentum, β) outside 0 up to 1.
 * @throws UsageError `bad-training-option`
 */
export function checkOptimizer(weightDecay: number, decays: Readonly<Record<string, number>>): void {
	for (const [option, value] of Object.entries(decays)) {
		if (value >= 0 && value < 1) continue
		throw new UsageError('bad-training-option', `${option}: expected a number from 0 up to (and not) 1, found ${value}`)
	}
	if (weightDecay >= 0 && Number.isFinite(weightDecay)) return
	throw new UsageError('bad-training-option', `--weight-decay: expected a number of at least 0, found ${weightDecay}`)
}
