/** Operands that a rule must know when the gradient is made: axes, sizes, repeats. */
import { UnsupportedError } from '../../errors.ts'
import { type Node, nodeName } from '../graph.ts'

/** UnsupportedError `no-gradient` for an operand that only a run would tell. */
export function notConstant(node: Node, operand: string): UnsupportedError {
	return new UnsupportedError(
		'no-gradient',
		`${nodeName(node)} (${node.op}): operand ${operand} must be a constant to differentiate, but the graph computes it`,
		{ layer: nodeName(node) },
	)
}
