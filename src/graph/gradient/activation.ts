/**
 * Activations. Each derivative is written from the output where that saves an exponential. Kinks: the derivative from the side where it
 * is smaller, as PyTorch has it (0 for Relu at 0).
 */
import { attributeFloat, attributeString, type Node } from '../graph.ts'
import { toInput } from './arithmetic.ts'
import { timesDerivative } from './elementwise.ts'
import type { GradientRules } from './rule.ts'
import type { Tape } from './tape.ts'

/**
 * Slope of a HardSigmoid that serves as the step function: one pass over memory where Greater and Cast are two. Relu's gradient on 16 MB:
 * 2.8 ms natively and 5.3 ms in WebAssembly; Greater, Cast, Mul 3.6 and 8.9 ms; Where 4.8 and 8 ms; Sign 5.8 and 6.0 ms. A power
 * of two, so that it is exact; below 2⁻¹²⁶ the step is a ramp.
 */
const STEEP = 2 ** 126

/** 1 where `x > 0`, else 0. */
export function isPositive(tape: Tape, x: string): string {
	return tape.emit('HardSigmoid', [x], { alpha: { float: STEEP }, beta: { float: 0 } })
}

export const activationRules: GradientRules = {
	Relu: timesDerivative(({ tape }, _, y) => isPositive(tape, y)),
	LeakyRelu: ({ node, tape, gradient }) => {
		const small = tape.emit('Mul', [gradient, tape.scalar(attributeFloat(node, 'alpha', 0.01))])
		return [wherePositive(tape, node.inputs[0]!, gradient, small)]
	},
	PRelu: (step) => {
		const { node, tape, gradient } = step
		const [x, slope] = node.inputs as [string, string]
		return [
			toInput(step, 0, () => wherePositive(tape, x, gradient, tape.emit('Mul', [gradient, slope]))),
			toInput(step, 1, () => tape.emit('Mul', [gradient, tape.emit('Min', [x, tape.scalar(0)])])),
		]
	},
	// α eˣ = y + α
	Elu: timesDerivative(({ node, tape }, x, y) => {
		const below = tape.emit('Add', [y, tape.scalar(attributeFloat(node, 'alpha', 1))])
		return wherePositive(tape, x, tape.scalar(1), below)
	}),
	Selu: timesDerivative(({ node, tape }, x, y) => {
		const [alpha, gamma] = [attributeFloat(node, 'alpha', 1.67326319), attributeFloat(node, 'gamma', 1.05070102)]
		return wherePositive(tape, x, tape.scalar(gamma), tape.emit('Add', [y, tape.scalar(alpha * gamma)]))
	}),
	Sigmoid: timesDerivative(({ tape }, _, y) => tape.emit('Mul', [y, oneMinus(tape, y)])),
	Tanh: timesDerivative(({ tape }, _, y) => oneMinus(tape, tape.emit('Mul', [y, y]))),
	Softplus: timesDerivative(({ tape }, x) => tape.emit('Sigmoid', [x])),
	// 1/(1+|x|)² = (1−|y|)²
	Softsign: timesDerivative(({ tape }, _, y) => {
		const root = oneMinus(tape, tape.emit('Abs', [y]))
		return tape.emit('Mul', [root, root])
	}),
	HardSigmoid: timesDerivative(({ node, tape }, _, y) => {
		return tape.emit('Mul', [isBetween0And1(tape, y), tape.scalar(hardSlope(node))])
	}),
	// y = x·h with h = HardSigmoid(x; 1/6, ½)
	HardSwish: timesDerivative(({ tape }, x) => {
		const gate = tape.emit('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
		const ramp = tape.emit('Mul', [isBetween0And1(tape, gate), tape.scalar(1 / 6)])
		return tape.emit('Add', [gate, tape.emit('Mul', [x, ramp])])
	}),
	Gelu: timesDerivative(({ node, tape }, x) => {
		return attributeString(node, 'approximate', 'none') === 'tanh' ? geluByTanh(tape, x) : gelu(tape, x)
	}),
	// y = x·t with t = tanh(softplus(x)); the derivative of softplus is the sigmoid
	Mish: timesDerivative(({ tape }, x) => {
		const t = tape.emit('Tanh', [tape.emit('Softplus', [x])])
		const slope = tape.emit('Mul', [oneMinus(tape, tape.emit('Mul', [t, t])), tape.emit('Sigmoid', [x])])
		return tape.emit('Add', [t, tape.emit('Mul', [x, slope])])
	}),
}

function hardSlope(node: Node): number {
	return attributeFloat(node, 'alpha', 0.2)
}

function wherePositive(tape: Tape, x: string, above: string, below: string): string {
	return tape.emit('Where', [tape.emit('Greater', [x, tape.scalar(0)]), above, below])
}

function oneMinus(tape: Tape, x: string): string {
	return tape.emit('Sub', [tape.scalar(1), x])
}

/** 1 strictly inside, else 0, for `y` that never leaves 0..1. */
function isBetween0And1(tape: Tape, y: string): string {
	return tape.emit('Sub', [tape.emit('Ceil', [y]), tape.emit('Floor', [y])])
}

/** Φ(x) + x·φ(x), with Φ and φ of the normal distribution (Hendrycks & Gimpel, arXiv:1606.08415). */
function gelu(tape: Tape, x: string): string {
	const erf = tape.emit('Erf', [tape.emit('Mul', [x, tape.scalar(Math.SQRT1_2)])])
	const share = tape.emit('Add', [tape.emit('Mul', [erf, tape.scalar(0.5)]), tape.scalar(0.5)])
	const exponent = tape.emit('Mul', [tape.emit('Mul', [x, x]), tape.scalar(-0.5)])
	const density = tape.emit('Mul', [tape.emit('Exp', [exponent]), tape.scalar(1 / Math.sqrt(2 * Math.PI))])
	return tape.emit('Add', [share, tape.emit('Mul', [x, density])])
}

/** The derivative of `½x(1 + t)`, `t = tanh(c(x + 0.044715x³))`, `c = √(2/π)`: `½(1 + t) + ½x(1 − t²)·c(1 + 0.134145x²)`. */
function geluByTanh(tape: Tape, x: string): string {
	const c = Math.sqrt(2 / Math.PI)
	const square = tape.emit('Mul', [x, x])
	const polynomial = (factor: number) =>
		tape.emit('Add', [tape.emit('Mul', [square, tape.scalar(c * factor)]), tape.scalar(c)])
	const t = tape.emit('Tanh', [tape.emit('Mul', [x, polynomial(0.044715)])])
	const slope = tape.emit('Mul', [oneMinus(tape, tape.emit('Mul', [t, t])), polynomial(3 * 0.044715)])
	const twice = tape.emit('Add', [tape.emit('Add', [t, tape.scalar(1)]), tape.emit('Mul', [x, slope])])
	return tape.emit('Mul', [twice, tape.scalar(0.5)])
}
