/** Functions of single numbers: Pow, Sqrt, Exp, Log, Abs, Reciprocal, Erf, Sin, Cos. */
import { elementCount, floatsOf, intsOf } from '../graph.ts'
import { toInput } from './arithmetic.ts'
import type { Backstep, GradientRule, GradientRules } from './rule.ts'

/** A rule that multiplies the gradient by the derivative, written from input `x` and output `y`. */
export function timesDerivative(derivative: (step: Backstep, x: string, y: string) => string): GradientRule {
	return (step) => {
		const [x, y] = [step.node.inputs[0]!, step.node.outputs[0]!]
		return [step.tape.emit('Mul', [step.gradient, derivative(step, x, y)])]
	}
}

/** A rule that divides the gradient by what `divisor` writes. */
function dividedBy(divisor: (step: Backstep, x: string, y: string) => string): GradientRule {
	return (step) => {
		const [x, y] = [step.node.inputs[0]!, step.node.outputs[0]!]
		return [step.tape.emit('Div', [step.gradient, divisor(step, x, y)])]
	}
}

export const elementwiseRules: GradientRules = {
	Pow: (step) => [toInput(step, 0, () => toBase(step)), toInput(step, 1, () => toExponent(step))],
	Sqrt: dividedBy(({ tape }, _, y) => tape.emit('Add', [y, y])),
	Exp: timesDerivative((_, __, y) => y),
	Log: dividedBy((_, x) => x),
	/** 0 at 0, as PyTorch has it. */
	Abs: timesDerivative(({ tape }, x) => tape.emit('Sign', [x])),
	// d(1/x)/dx = −(1/x)/x
	Reciprocal: ({ node, tape, gradient }) => {
		const [x, y] = [node.inputs[0]!, node.outputs[0]!]
		return [tape.emit('Neg', [tape.emit('Div', [tape.emit('Mul', [gradient, y]), x])])]
	},
	// d erf(x)/dx = 2/√π · exp(−x²)
	Erf: timesDerivative(({ tape }, x) => {
		const bell = tape.emit('Exp', [tape.emit('Neg', [tape.emit('Mul', [x, x])])])
		return tape.emit('Mul', [bell, tape.scalar(2 / Math.sqrt(Math.PI))])
	}),
	Sin: timesDerivative(({ tape }, x) => tape.emit('Cos', [x])),
	Cos: timesDerivative(({ tape }, x) => tape.emit('Neg', [tape.emit('Sin', [x])])),
}

/** `g · e · x^(e−1)`. The exponents of every second net are 2 and ½, which need no power. */
function toBase({ node, tape, gradient }: Backstep): string {
	const [x, exponent] = node.inputs as [string, string]
	const e = constantNumber(tape.constantOf(exponent))
	if (e === 0) return tape.zeros(tape.shapeOf(node.outputs[0]!))
	if (e === 1) return gradient
	if (e === 2) return tape.emit('Mul', [gradient, tape.emit('Add', [x, x])])
	if (e === 0.5) return tape.emit('Div', [tape.emit('Mul', [gradient, tape.scalar(0.5)]), node.outputs[0]!])
	if (e !== undefined) {
		const power = tape.emit('Pow', [x, tape.scalar(e - 1)])
		return tape.emit('Mul', [gradient, tape.emit('Mul', [power, tape.scalar(e)])])
	}
	const isFloat = tape.dtypeOf(exponent) === 'float32'
	const exponents = isFloat ? exponent : tape.cast(exponent, 'float32')
	const power = tape.emit('Pow', [x, tape.emit('Sub', [exponents, tape.scalar(1)])])
	const slope = tape.emit('Mul', [power, exponents])
	// 0⁰ is 1 and flat, but 0 · 0⁻¹ is not a number.
	const isFlat = tape.emit('Equal', [exponents, tape.scalar(0)])
	return tape.emit('Mul', [gradient, tape.emit('Where', [isFlat, tape.scalar(0), slope])])
}

/** `g · y · ln x`, and 0 where x ≤ 0, where the logarithm has no value (PyTorch does so at 0). */
function toExponent({ node, tape, gradient }: Backstep): string {
	const [x, y] = [node.inputs[0]!, node.outputs[0]!]
	const isPositive = tape.emit('Greater', [x, tape.scalar(0)])
	const log = tape.emit('Log', [tape.emit('Where', [isPositive, x, tape.scalar(1)])])
	return tape.emit('Mul', [tape.emit('Mul', [gradient, y]), log])
}

type Constant = Parameters<typeof floatsOf>[0]

function constantNumber(tensor: Constant | undefined): number | undefined {
	if (tensor === undefined || elementCount(tensor.dims) !== 1) return undefined
	if (tensor.dtype === 'float32') return floatsOf(tensor)[0]
	return tensor.dtype === 'int64' || tensor.dtype === 'int32' ? intsOf(tensor)[0] : undefined
}
