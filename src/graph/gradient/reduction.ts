/** Reductions: the gradient, made as long again as the axes that were reduced. */
import { attributeInt, attributeInts, elementCount, intsOf } from '../graph.ts'
import { notConstant } from './constants.ts'
import type { Backstep, GradientRule, GradientRules } from './rule.ts'
import type { Shape } from './tape.ts'

/** Maxima and minima: equal ones share the gradient evenly, as PyTorch's amax and amin have it. */
const extreme: GradientRule = (step) => {
	const { tape } = step
	const { input, axes, output, gradient } = kept(step)
	// A reduction over no axis is the value itself; summing over none would sum over all.
	if (axes.length === 0) return [gradient]
	const isExtreme = tape.cast(tape.emit('Equal', [input, output]), 'float32')
	const count = tape.reduce('ReduceSum', isExtreme, axes, true)
	return [tape.emit('Mul', [isExtreme, tape.emit('Div', [gradient, count])])]
}

export const reductionRules: GradientRules = {
	ReduceSum: (step) => [expand(step, kept(step).gradient)],
	ReduceMean: (step) => {
		const { axes, shape, gradient } = kept(step)
		const count = elementCount(axes.map((axis) => shape[axis]!))
		return [expand(step, step.tape.emit('Div', [gradient, step.tape.scalar(count)]))]
	},
	ReduceMax: extreme,
	ReduceMin: extreme,
	ReduceL1: (step) => [step.tape.emit('Mul', [step.tape.emit('Sign', [step.node.inputs[0]!]), kept(step).gradient])],
	ReduceL2: (step) => {
		const { input, output, gradient } = kept(step)
		// A norm of 0 has no gradient; 0 is PyTorch's choice, which the tiny divisor gives because x is 0 there too.
		const norm = step.tape.emit('Max', [output, step.tape.scalar(1e-30)])
		return [step.tape.emit('Mul', [input, step.tape.emit('Div', [gradient, norm])])]
	},
	ReduceSumSquare: (step) => {
		const { input, gradient } = kept(step)
		return [step.tape.emit('Mul', [input, step.tape.emit('Add', [gradient, gradient])])]
	},
	ReduceLogSumExp: (step) => {
		const { input, output, gradient } = kept(step)
		const share = step.tape.emit('Exp', [step.tape.emit('Sub', [input, output])])
		return [step.tape.emit('Mul', [share, gradient])]
	},
}

/** The step as it would be with `keepdims`: output and gradient broadcast against the input of shape `shape`. */
function kept({ node, tape, gradient }: Backstep) {
	const [input, output] = [node.inputs[0]!, node.outputs[0]!]
	const shape = tape.shapeOf(input)
	const axes = axesOf({ node, tape }, shape.length)
	const keptShape = shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
	const isKept = tape.shapeOf(output).length === shape.length
	const keep = (name: string) => (isKept ? name : tape.reshape(name, keptShape))
	return {
		input,
		axes,
		shape,
		/** Reshaped only where a rule asks. */
		get output() {
			return keep(output)
		},
		get gradient() {
			return keep(gradient)
		},
	}
}

function axesOf({ node, tape }: Pick<Backstep, 'node' | 'tape'>, rank: number): number[] {
	const operand = node.inputs[1]
	const constant = tape.constantOf(operand)
	if (operand && !constant) throw notConstant(node, operand)
	const axes = attributeInts(node, 'axes') ?? (constant ? intsOf(constant) : [])
	if (axes.length > 0) return axes.map((axis) => (axis < 0 ? axis + rank : axis))
	return attributeInt(node, 'noop_with_empty_axes', 0) ? [] : [...Array(rank).keys()]
}

function expand({ node, tape }: Backstep, name: string): string {
	const shape: Shape = tape.shapeOf(node.inputs[0]!)
	return tape.emit('Expand', [name, tape.integers(shape)])
}
