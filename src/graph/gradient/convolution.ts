/**
 * Conv and ConvTranspose, each the adjoint of the other (Dumoulin & Visin, arXiv:1603.07285, section 4): the gradient of one's input is
 * the other, with the same kernel, and both share the gradient of the kernel.
 */
import { elementCount, floatTensor } from '../graph.ts'
import type { Backstep, GradientRules } from './rule.ts'
import type { Shape, Tape } from './tape.ts'
import { kernelGradient } from './unfold.ts'
import { extent, groupOf, missingBehind, transposedWindowOf, type Window, windowOf } from './window.ts'

export const convolutionRules: GradientRules = {
	Conv: (step) => {
		const { node, tape, gradient, isWanted } = step
		const [x, w] = node.inputs as [string, string]
		const kernel = tape.shapeOf(w)
		const input = tape.shapeOf(x)
		const window = windowOf(node, input.slice(2), tape.shapeOf(node.outputs[0]!).slice(2), kernel.slice(2))
		const group = groupOf(node)
		return [
			isWanted(0) ? transposed(tape, gradient, w, window, group) : undefined,
			isWanted(1) ? kernelGradient(tape, { input: x, inputShape: input, gradient, kernel, window, group }) : undefined,
			biasGradient(step),
		]
	},
	ConvTranspose: (step) => {
		const { node, tape, gradient, isWanted } = step
		const [x, w] = node.inputs as [string, string]
		const kernel = tape.shapeOf(w)
		const output = tape.shapeOf(node.outputs[0]!)
		const window = transposedWindowOf(node, tape.shapeOf(x).slice(2), output.slice(2), kernel.slice(2))
		const group = groupOf(node)
		const task = { input: gradient, inputShape: output, gradient: x, kernel, window, group }
		return [
			isWanted(0) ? convolved(tape, gradient, w, window, group) : undefined,
			isWanted(1) ? kernelGradient(tape, task) : undefined,
			biasGradient(step),
		]
	},
}

function biasGradient({ node, tape, gradient, isWanted }: Backstep): string | undefined {
	if (!isWanted(2)) return undefined
	const axes = tape.shapeOf(node.outputs[0]!).flatMap((_, axis) => (axis === 1 ? [] : [axis]))
	return tape.reduce('ReduceSum', gradient, axes, false)
}

/**
 * The gradient of a convolution's input. Where the map was padded, as a convolution with the kernel turned around, else as the transposed
 * convolution that it equals: ONNX Runtime is slow where it has to cut off the padding of the latter, and the former computes more
 * positions where there was none. One thread, 3×3, batch 64, turned against transposed: padded, 64 channels on 32×32 39 against 53 ms, 256
 * on 8×8 34 against 41, 512 on 4×4 39 against 68; not padded, 20 to 40 channels on 26×22 7.4 against 4.0, 64 on 32×32 38 against 33.
 */
function transposed(tape: Tape, gradient: string, kernel: string, window: Window, group: number): string {
	const padBegin = window.padBegin.map((pad, axis) => extent(window, axis) - 1 - pad)
	const padEnd = window.input.map((_, axis) => extent(window, axis) - 1 - missingBehind(window, axis))
	const isDense = window.strides.every((stride) => stride === 1)
	const isPadded = [...window.padBegin, ...window.padEnd].some((pad) => pad > 0)
	if (isDense && isPadded && [...padBegin, ...padEnd].every((pad) => pad >= 0)) {
		const turned = turnedKernel(tape, kernel, group)
		return tape.emit('Conv', [gradient, turned], { ...attributes({ ...window, padBegin, padEnd }), group })
	}
	// Positions that the last window left over, which is less than a stride.
	const output_padding = window.padEnd.map((pad, axis) => pad - missingBehind(window, axis))
	return tape.emit('ConvTranspose', [gradient, kernel], { ...attributes(window), output_padding, group })
}

/** `[M, C / G, …]` → `[C, M / G, …]` with every spatial axis reversed. */
function turnedKernel(tape: Tape, kernel: string, group: number): string {
	const [filters, channels, ...sizes] = tape.shapeOf(kernel) as [number, number, ...number[]]
	const count = elementCount(sizes)
	const reversed = reverseRows(tape, tape.reshape(kernel, [filters * channels, count]), count)
	const grouped = tape.reshape(reversed, [group, filters / group, channels, count])
	const swapped = tape.emit('Transpose', [grouped], { perm: [0, 2, 1, 3] })
	return tape.reshape(swapped, [group * channels, filters / group, ...sizes])
}

/** Each row backwards, as a product with a reversed identity: exact, and done by all threads, which a Slice with step −1 is not. */
function reverseRows(tape: Tape, name: string, length: number): string {
	if (length === 1) return name
	const matrix = Float32Array.from({ length: length ** 2 }, (_, i) =>
		Number((i % length) + Math.floor(i / length) === length - 1),
	)
	return tape.emit('MatMul', [name, tape.constant(floatTensor([length, length], matrix))])
}

/** The gradient of a transposed convolution's input. */
function convolved(tape: Tape, gradient: string, kernel: string, window: Window, group: number): string {
	const used = window.input.map((size, axis) => Math.min(size, size + missingBehind(window, axis)))
	const padEnd = window.input.map((_, axis) => Math.max(0, missingBehind(window, axis)))
	const trimmed = trim(tape, gradient, window.input, used)
	return tape.emit('Conv', [trimmed, kernel], { ...attributes({ ...window, padEnd }), group })
}

function trim(tape: Tape, name: string, from: Shape, to: Shape): string {
	if (from.every((size, axis) => size === to[axis])) return name
	const axes = to.map((_, axis) => axis + 2)
	return tape.emit('Slice', [name, tape.integers(to.map(() => 0)), tape.integers(to), tape.integers(axes)])
}

function attributes({ kernel, strides, dilations, padBegin, padEnd }: Window) {
	return { kernel_shape: kernel, strides, dilations, pads: [...padBegin, ...padEnd] }
}
