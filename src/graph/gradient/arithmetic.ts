/** Add, Sub, Mul, Div, Neg, Sum, Mean: operators that broadcast, whose gradients are summed back to the shapes of the operands. */
import type { Backstep, GradientRules } from './rule.ts'

/** `gradient`, which has the shape of the output, summed to the shape of input `index`; undefined where nobody asks for it. */
export function toInput({ node, tape, isWanted }: Backstep, index: number, gradient: () => string): string | undefined {
	if (!isWanted(index)) return undefined
	return tape.sumTo(gradient(), tape.shapeOf(node.outputs[0]!), tape.shapeOf(node.inputs[index]!))
}

export const arithmeticRules: GradientRules = {
	Add: (step) => [0, 1].map((index) => toInput(step, index, () => step.gradient)),
	Sub: (step) => [
		toInput(step, 0, () => step.gradient),
		toInput(step, 1, () => step.tape.emit('Neg', [step.gradient])),
	],
	Mul: (step) => {
		const [a, b] = step.node.inputs as [string, string]
		return [
			toInput(step, 0, () => step.tape.emit('Mul', [step.gradient, b])),
			toInput(step, 1, () => step.tape.emit('Mul', [step.gradient, a])),
		]
	},
	Div: (step) => {
		const [, b] = step.node.inputs as [string, string]
		const { tape, gradient, node } = step
		const quotient = node.outputs[0]!
		return [
			toInput(step, 0, () => tape.emit('Div', [gradient, b])),
			// d(a/b)/db = −(a/b)/b
			toInput(step, 1, () => tape.emit('Neg', [tape.emit('Div', [tape.emit('Mul', [gradient, quotient]), b])])),
		]
	},
	Sum: (step) => step.node.inputs.map((_, index) => toInput(step, index, () => step.gradient)),
	Mean: (step) => {
		const share = step.tape.emit('Div', [step.gradient, step.tape.scalar(step.node.inputs.length)])
		return step.node.inputs.map((_, index) => toInput(step, index, () => share))
	},
	Neg: (step) => [step.tape.emit('Neg', [step.gradient])],
}
