/** Adam and AdamW. */
import { checkOptimizer, type Optimizer } from './optimizer.ts'

export interface AdamOptions {
	/** Decay of the mean gradient. Default 0.9. */
	readonly beta1?: number
	/** Decay of the mean square. Default 0.999. */
	readonly beta2?: number
	/** Keeps the division finite. Default 1e-8. */
	readonly epsilon?: number
	/** λ. Default 0. */
	readonly weightDecay?: number
	/** AdamW: the weights shrink by η·λ themselves, instead of λ·w being added to the gradient. Default false. */
	readonly isDecoupled?: boolean
}

/**
 * Kingma & Ba 2015, algorithm 1; decoupled decay: Loshchilov & Hutter 2019, algorithm 2. In the form of PyTorch's `Adam` and `AdamW`.
 * @throws UsageError `bad-training-option`
 */
export function adam(options: AdamOptions = {}): Optimizer {
	const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, isDecoupled = false } = options
	checkOptimizer(weightDecay, { beta1: beta1, beta2: beta2 })
	return {
		slots: ['mean', 'square'],
		scalars: (step, rate) => ({
			/** η / (1 − β₁ᵗ) */
			stride: rate / (1 - beta1 ** step),
			/** 1 / √(1 − β₂ᵗ) */
			correction: 1 / Math.sqrt(1 - beta2 ** step),
			shrink: 1 - rate * weightDecay,
		}),
		update({ tape, parameter, gradient, slots, scalars, decays }) {
			const [mean, square] = slots as [string, string]
			const isDecaying = decays && weightDecay > 0
			const slope =
				isDecaying && !isDecoupled
					? tape.emit('Add', [gradient, tape.emit('Mul', [parameter, tape.scalar(weightDecay)])])
					: gradient
			const average = (old: string, sample: string, beta: number) =>
				tape.emit('Add', [
					tape.emit('Mul', [old, tape.scalar(beta)]),
					tape.emit('Mul', [sample, tape.scalar(1 - beta)]),
				])
			const newMean = average(mean, slope, beta1)
			const newSquare = average(square, tape.emit('Mul', [slope, slope]), beta2)
			const root = tape.emit('Mul', [tape.emit('Sqrt', [newSquare]), scalars.correction!])
			const divisor = tape.emit('Add', [root, tape.scalar(epsilon)])
			const step = tape.emit('Mul', [tape.emit('Div', [newMean, divisor]), scalars.stride!])
			const start = isDecaying && isDecoupled ? tape.emit('Mul', [parameter, scalars.shrink!]) : parameter
			return { parameter: tape.emit('Sub', [start, step]), slots: [newMean, newSquare] }
		},
	}
}
