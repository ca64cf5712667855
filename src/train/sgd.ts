/** Stochastic gradient descent with momentum. */
import { checkOptimizer, type Optimizer, type UpdateStep } from './optimizer.ts'

export interface SgdOptions {
	/** μ, 0 (plain descent) up to 1. Default 0.9. */
	readonly momentum?: number
	/** Looks ahead along the momentum. Default false. */
	readonly nesterov?: boolean
	/** λ of the penalty λ/2·‖w‖², added to the gradient. Default 0. */
	readonly weightDecay?: number
}

/**
 * v ← μ·v + g, w ← w − η·v; with Nesterov's momentum w ← w − η·(g + μ·v): Sutskever et al. 2013, in the form that PyTorch's `SGD` has.
 * @throws UsageError `bad-training-option`
 */
export function sgd({ momentum = 0.9, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
	checkOptimizer(weightDecay, { '--momentum': momentum })
	return {
		slots: momentum === 0 ? [] : ['velocity'],
		scalars: (_, rate) => ({ rate }),
		update({ tape, parameter, gradient, slots, scalars, decays }) {
			const slope = decays && weightDecay > 0 ? scaledSum(tape, gradient, parameter, weightDecay) : gradient
			const [before] = slots
			const velocity = before === undefined ? slope : scaledSum(tape, slope, before, momentum)
			const direction = nesterov ? scaledSum(tape, slope, velocity, momentum) : velocity
			const step = tape.emit('Mul', [direction, scalars.rate!])
			return { parameter: tape.emit('Sub', [parameter, step]), slots: before === undefined ? [] : [velocity] }
		},
	}
}

/** `a + factor · b`. */
function scaledSum(tape: UpdateStep['tape'], a: string, b: string, factor: number): string {
	return tape.emit('Add', [a, tape.emit('Mul', [b, tape.scalar(factor)])])
}
