/** Operators that hand on one of several operands, element by element: Where, Min, Max, Clip. */
import { toInput } from './arithmetic.ts'
import type { Backstep, GradientRule, GradientRules } from './rule.ts'

/**
 * Min and Max: the gradient goes to the operand that was chosen, whole. Among equal ones it is the first: an arbitrary choice of
 * subgradient (PyTorch halves it between two) that saves counting them.
 */
const chosen: GradientRule = (step) => {
	const { node, tape } = step
	const output = node.outputs[0]!
	const last = node.inputs.length - 1
	let rest = step.gradient
	return node.inputs.map((input, index) => {
		if (index === last) return toInput(step, index, () => rest)
		const part = tape.emit('Where', [tape.emit('Equal', [input, output]), rest, tape.scalar(0)])
		rest = tape.emit('Sub', [rest, part])
		return toInput(step, index, () => part)
	})
}

export const selectionRules: GradientRules = {
	Min: chosen,
	Max: chosen,
	Where: (step) => {
		const { tape, gradient } = step
		const [condition] = step.node.inputs as [string]
		const zero = tape.scalar(0)
		return [
			undefined,
			toInput(step, 1, () => tape.emit('Where', [condition, gradient, zero])),
			toInput(step, 2, () => tape.emit('Where', [condition, zero, gradient])),
		]
	},
	Clip: (step) => [
		step.isWanted(0) ? insideBounds(step) : undefined,
		toInput(step, 1, () => beyondBound(step, 'Less', 1)),
		toInput(step, 2, () => beyondBound(step, 'Greater', 2)),
	],
}

/** Bounds count as inside, as PyTorch's clamp has it. */
function insideBounds({ node, tape, gradient }: Backstep): string {
	const isInside = tape.emit('Equal', [node.inputs[0]!, node.outputs[0]!])
	return tape.emit('Mul', [gradient, tape.cast(isInside, 'float32')])
}

function beyondBound({ node, tape, gradient }: Backstep, comparison: string, index: number): string {
	const isBeyond = tape.emit(comparison, [node.inputs[0]!, node.inputs[index]!])
	return tape.emit('Where', [isBeyond, gradient, tape.scalar(0)])
}
