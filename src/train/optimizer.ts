/** What an optimizer is: nodes that turn a parameter and its gradient into the parameter of the next step. */
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
