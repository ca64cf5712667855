/** Operators that hand their input on: Identity, Cast, Dropout. */
import { attributeInt, DTYPES } from '../graph.ts'
import type { Backstep, GradientRules } from './rule.ts'

const REAL = new Set(['float32', 'float64', 'float16', 'bfloat16'])

export const passingRules: GradientRules = {
	Identity: ({ gradient }) => [gradient],
	/** Between real types only: what was an integer has no gradient. */
	Cast: ({ node, tape, gradient }) => {
		const from = tape.dtypeOf(node.inputs[0]!)
		if (!REAL.has(from) || !REAL.has(DTYPES[attributeInt(node, 'to', 0)] ?? '')) return []
		return [tape.cast(gradient, from)]
	},
	Dropout: (step) => [isTraining(step) ? dropped(step) : step.gradient],
}

/** Is anything dropped, as far as one knows before the run? */
function isTraining({ node, tape }: Backstep): boolean {
	const mode = tape.constantOf(node.inputs[2])
	return Boolean(node.inputs[2]) && mode?.bytes[0] !== 0
}

/** `g · mask / (1 − ratio)`: inverted dropout. Where the mode is fed and says inference, the mask is all true and nothing is scaled. */
function dropped({ node, tape, gradient }: Backstep): string {
	const [, ratio, mode] = node.inputs as [string, string | undefined, string]
	const mask = tape.cast(node.outputs[1]!, 'float32')
	const kept = tape.emit('Sub', [tape.scalar(1), ratio || tape.scalar(0.5)])
	const scale = tape.emit('Div', [tape.scalar(1), kept])
	const known = tape.constantOf(mode) ? scale : tape.emit('Where', [mode, scale, tape.scalar(1)])
	return tape.emit('Mul', [gradient, tape.emit('Mul', [mask, known])])
}
