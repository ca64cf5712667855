/** Gradient clipping. */
import type { Tape } from '../graph/gradient/tape.ts'

/**
 * Shrinks all gradients together where their norm as one vector exceeds `limit` (Pascanu et al. 2013, algorithm 1; as PyTorch's
 * `clip_grad_norm_`).
 */
export function clipByNorm(tape: Tape, gradients: readonly string[], limit: number): string[] {
	const norm = normOf(tape, gradients)
	const ratio = tape.emit('Div', [tape.scalar(limit), tape.emit('Add', [norm, tape.scalar(1e-6)])])
	const factor = tape.emit('Min', [ratio, tape.scalar(1)])
	return gradients.map((name) => tape.emit('Mul', [name, factor]))
}

/** The Euclidean norm `[]` of all `values` as one vector. */
export function normOf(tape: Tape, values: readonly string[]): string {
	const squares = values.map((name) => tape.emit('Flatten', [tape.emit('Mul', [name, name])], { axis: 0 }))
	const sums = squares.map((name) => tape.reduce('ReduceSum', name, [0, 1], false))
	return tape.emit('Sqrt', [tape.emit('Sum', sums)])
}
