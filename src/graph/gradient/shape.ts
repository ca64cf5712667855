/** Operators that arrange elements anew or repeat them: the gradient is arranged back, and summed over what was repeated. */
import { attributeInt, attributeInts } from '../graph.ts'
import { toInput } from './arithmetic.ts'
import type { Backstep, GradientRule, GradientRules } from './rule.ts'

const reshapeBack: GradientRule = ({ node, tape, gradient }) => [tape.reshape(gradient, tape.shapeOf(node.inputs[0]!))]

export const shapeRules: GradientRules = {
	Reshape: reshapeBack,
	Flatten: reshapeBack,
	Squeeze: reshapeBack,
	Unsqueeze: reshapeBack,
	Transpose: ({ node, tape, gradient }) => {
		const rank = tape.shapeOf(node.inputs[0]!).length
		const perm = attributeInts(node, 'perm') ?? [...Array(rank).keys()].toReversed()
		return [tape.emit('Transpose', [gradient], { perm: perm.map((_, axis) => perm.indexOf(axis)) })]
	},
	Concat: (step) => {
		const wanted = step.node.inputs.flatMap((_, index) => (step.isWanted(index) ? [index] : []))
		return wanted.length === 1 ? sliceOut(step, wanted[0]!) : splitUp(step)
	},
	Split: ({ node, tape, gradients }) => {
		const parts = node.outputs.map((name, i) => gradients[i] ?? tape.zeros(tape.shapeOf(name)))
		return [tape.emit('Concat', parts, { axis: attributeInt(node, 'axis', 0) })]
	},
	Expand: (step) => [toInput(step, 0, () => step.gradient)],
	Tile: ({ node, tape, gradient }) => {
		const input = tape.shapeOf(node.inputs[0]!)
		const output = tape.shapeOf(node.outputs[0]!)
		const apart = tape.reshape(
			gradient,
			input.flatMap((dim, axis) => [dim === 0 ? 0 : output[axis]! / dim, dim]),
		)
		const repeats = input.map((_, axis) => 2 * axis)
		return [tape.reduce('ReduceSum', apart, repeats, false)]
	},
}

/** Lengths of the operands of a Concat along its axis. */
function lengthsOf({ node, tape }: Backstep): { axis: number; lengths: number[] } {
	const axis = attributeInt(node, 'axis', 0)
	return { axis, lengths: node.inputs.map((name) => tape.shapeOf(name).at(axis)!) }
}

function sliceOut(step: Backstep, index: number): (string | undefined)[] {
	const { tape, node, gradient } = step
	const { axis, lengths } = lengthsOf(step)
	const start = lengths.slice(0, index).reduce((sum, length) => sum + length, 0)
	const range = [start, start + lengths[index]!, axis].map((value) => tape.integers([value]))
	const slice = tape.emit('Slice', [gradient, ...range])
	return node.inputs.map((_, i) => (i === index ? slice : undefined))
}

function splitUp(step: Backstep): string[] {
	const { axis, lengths } = lengthsOf(step)
	const operands = [step.gradient, step.tape.integers(lengths)]
	return step.tape.emitMany('Split', operands, lengths.length, { axis })
}
