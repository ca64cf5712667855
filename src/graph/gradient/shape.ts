/** Operators that only arrange elements anew, or hand them on: the gradient is arranged back. */
import { attributeInts } from '../graph.ts'
import type { GradientRule, GradientRules } from './rule.ts'

const reshapeBack: GradientRule = ({ node, tape, gradient }) => [tape.reshape(gradient, tape.shapeOf(node.inputs[0]!))]

export const shapeRules: GradientRules = {
	Identity: ({ gradient }) => [gradient],
	Reshape: reshapeBack,
	Flatten: reshapeBack,
	Squeeze: reshapeBack,
	Unsqueeze: reshapeBack,
	Transpose: ({ node, tape, gradient }) => {
		const rank = tape.shapeOf(node.inputs[0]!).length
		const perm = attributeInts(node, 'perm') ?? [...Array(rank).keys()].toReversed()
		return [tape.emit('Transpose', [gradient], { perm: perm.map((_, axis) => perm.indexOf(axis)) })]
	},
}
