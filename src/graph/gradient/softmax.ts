/** Softmax and LogSoftmax, over one axis (opset 13; older graphs are restated). */
import { attributeInt, type Node } from '../graph.ts'
import type { GradientRules } from './rule.ts'
import type { Tape } from './tape.ts'

export const softmaxRules: GradientRules = {
	// y·(g − Σ g·y)
	Softmax: ({ node, tape, gradient }) => {
		const y = node.outputs[0]!
		const mean = sumOverAxis(tape, node, tape.emit('Mul', [gradient, y]))
		return [tape.emit('Mul', [y, tape.emit('Sub', [gradient, mean])])]
	},
	// g − exp(y)·Σ g
	LogSoftmax: ({ node, tape, gradient }) => {
		const sum = sumOverAxis(tape, node, gradient)
		return [tape.emit('Sub', [gradient, tape.emit('Mul', [tape.emit('Exp', [node.outputs[0]!]), sum])])]
	},
}

function sumOverAxis(tape: Tape, node: Node, name: string): string {
	return tape.reduce('ReduceSum', name, [attributeInt(node, 'axis', -1)], true)
}
