/** The gradient of a convolution's kernel, as one matrix product over the unfolded input ("im2col"; Chellapilla et al., 2006). */
import { elementCount } from '../graph.ts'
import type { Shape, Tape } from './tape.ts'
import { missingBehind, positionsOf, type Window } from './window.ts'

export interface KernelGradient {
	/** What the kernel slides over: `[N, C, ...window.input]`. */
	readonly input: string
	readonly inputShape: Shape
	/** Gradient of what it gives: `[N, M, ...window.output]`. */
	readonly gradient: string
	/** `[M, C / group, ...window.kernel]` */
	readonly kernel: Shape
	readonly window: Window
	readonly group: number
}

/** `dW[m, c, k] = Σ over n, p of dY[n, m, p] · X[n, c, p · stride + k · dilation − pad]`, of the shape `kernel`. */
export function kernelGradient(tape: Tape, task: KernelGradient): string {
	const { gradient, kernel, window, group, inputShape } = task
	const [filters, channels] = kernel as [number, number]
	const positions = inputShape[0]! * elementCount(window.output)
	const offsets = elementCount(window.kernel)
	const columns = unfold(tape, task).map((slice) => tape.reshape(slice, [group, channels, positions]))
	const unfolded = columns.length === 1 ? columns[0]! : tape.emit('Concat', columns, { axis: 1 })
	const errors = channelsFirst(tape, gradient, window.output.length)
	const product = multiply(tape, errors, unfolded, [group, filters / group, offsets * channels, positions])
	if (offsets === 1) return tape.reshape(product, kernel)
	const byOffset = tape.reshape(product, [filters, offsets, channels])
	return tape.reshape(tape.emit('Transpose', [byOffset], { perm: [0, 2, 1] }), kernel)
}

/** For each element of the kernel, what it met: `[C, N, ...window.output]` each. */
function unfold(tape: Tape, { input, window }: KernelGradient): string[] {
	const { strides, dilations, output, kernel, padBegin } = window
	const padded = padSpatial(tape, channelsFirst(tape, input, output.length), window)
	const axes = tape.integers(output.map((_, axis) => axis + 2))
	const steps = tape.integers(strides)
	return positionsOf(kernel).map((position) => {
		const starts = position.map((at, axis) => at * dilations[axis]!)
		const ends = starts.map((start, axis) => start + (output[axis]! - 1) * strides[axis]! + 1)
		const isWhole = starts.every((start, axis) => {
			const end = padBegin[axis]! + window.input[axis]! + Math.max(0, missingBehind(window, axis))
			return start === 0 && ends[axis] === end && strides[axis] === 1
		})
		return isWhole ? padded : tape.emit('Slice', [padded, tape.integers(starts), tape.integers(ends), axes, steps])
	})
}

/** Zeros before the input, and behind it as many as the last window touches. */
function padSpatial(tape: Tape, name: string, window: Window): string {
	const behind = window.input.map((_, axis) => Math.max(0, missingBehind(window, axis)))
	if ([...window.padBegin, ...behind].every((pad) => pad === 0)) return name
	return tape.emit('Pad', [name, tape.integers([0, 0, ...window.padBegin, 0, 0, ...behind])])
}

/** `[N, C, …]` → `[C, N, …]` */
function channelsFirst(tape: Tape, name: string, spatialAxes: number): string {
	const spatial = Array.from({ length: spatialAxes }, (_, axis) => axis + 2)
	return tape.emit('Transpose', [name], { perm: [1, 0, ...spatial] })
}

/** `[G, M, P] × [G, K, P]ᵀ`; `left` may have any shape of that many elements. One Gemm where there is one group. */
function multiply(tape: Tape, left: string, right: string, [groups, m, k, p]: readonly number[]): string {
	if (groups === 1) {
		return tape.emit('Gemm', [tape.reshape(left, [m!, p!]), tape.reshape(right, [k!, p!])], { transB: 1 })
	}
	const turned = tape.emit('Transpose', [right], { perm: [0, 2, 1] })
	return tape.emit('MatMul', [tape.reshape(left, [groups!, m!, p!]), turned])
}
