/** What a gradient rule is given and what it gives back: reverse-mode differentiation, one node at a time. */
import type { Node } from '../graph.ts'
import type { Tape } from './tape.ts'

/** One node on the way back from the loss. */
export interface Backstep {
	readonly node: Node
	/** Where the rule writes the nodes of the gradient. */
	readonly tape: Tape
	/** The gradient of the loss with respect to the node's first output; rules of operators with several use `gradients`. */
	readonly gradient: string
	/** The same for every output; undefined where the loss does not depend on it. */
	readonly gradients: readonly (string | undefined)[]
	/** Does anything ask for the gradient of input `index`? A rule may save work on the others. */
	readonly isWanted: (index: number) => boolean
}

/**
 * The gradient of one operator: for each input the name of its gradient, of the input's own shape; undefined for inputs that have none
 * (integers, conditions) or that nobody asks for. Shorter lists mean undefined.
 */
export type GradientRule = (step: Backstep) => readonly (string | undefined)[]

/** Operator → rule, as each file of a family exports it. */
export type GradientRules = Readonly<Record<string, GradientRule>>
