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

/**
 * From this many channels on, one product for each element of the kernel beats one product over all of them: it saves writing the unfolded
 * input a second time. One thread, 3×3, batch 64: 64 channels on 32×32 47 against 60 ms, 128 on 16×16 38 against 45, 256 on 8×8 36 against
 * 41, 512 on 4×4 34 against 35. Below, the products are too narrow.
 */
const WIDE = 16

/** `dW[m, c, k] = Σ over n, p of dY[n, m, p] · X[n, c, p · stride + k · dilation − pad]`, of the shape `kernel`. */
export function kernelGradient(tape: Tape, task: KernelGradient): string {
	const { gradient, kernel, window, group, inputShape } = task
	const [filters, channels] = kernel as [number, number]
	const positions = inputShape[0]! * elementCount(window.output)
	const errors = channelsFirst(tape, gradient, window.output.length)
	const slices = unfold(tape, task)
	const isSeparate = channels >= WIDE || channels === 1
	const parts = isSeparate ? slices : [joined(tape, slices, [group, channels, positions])]
	const width = (channels * slices.length) / parts.length
	const sizes = { groups: group, rows: filters / group, columns: width, depth: positions }
	const products = parts.map((part) => tape.reshape(multiply(tape, errors, part, sizes), [filters, width]))
	if (slices.length === 1) return tape.reshape(products[0]!, kernel)
	const whole = products.length === 1 ? products[0]! : tape.emit('Concat', products, { axis: 1 })
	const byOffset = tape.reshape(whole, [filters, slices.length, channels])
	return tape.reshape(tape.emit('Transpose', [byOffset], { perm: [0, 2, 1] }), kernel)
}

function joined(tape: Tape, slices: readonly string[], shape: Shape): string {
	if (slices.length === 1) return slices[0]!
	return tape.emit(
		'Concat',
		slices.map((slice) => tape.reshape(slice, shape)),
		{ axis: 1 },
	)
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

interface ProductSizes {
	readonly groups: number
	readonly rows: number
	readonly columns: number
	/** Numbers that each element of the product sums over. */
	readonly depth: number
}

/** `[groups, rows, depth] × [groups, columns, depth]ᵀ`, operands of any shape with as many elements. One Gemm where there is one group. */
function multiply(tape: Tape, left: string, right: string, { groups, rows, columns, depth }: ProductSizes): string {
	if (groups === 1) {
		return tape.emit('Gemm', [tape.reshape(left, [rows, depth]), tape.reshape(right, [columns, depth])], { transB: 1 })
	}
	const first = tape.reshape(left, [groups, rows, depth])
	if (columns === 1 && rows === 1) {
		// Depthwise: the runtime multiplies a row with a column many times slower than it reads them.
		const products = tape.emit('Mul', [first, tape.reshape(right, [groups, 1, depth])])
		return tape.reduce('ReduceSum', products, [2], true)
	}
	const turned = tape.emit('Transpose', [tape.reshape(right, [groups, columns, depth])], { perm: [0, 2, 1] })
	return tape.emit('MatMul', [first, turned])
}
