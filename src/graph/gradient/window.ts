/** The sliding window of convolutions and pools: where it starts, how it steps, where it looks, in numbers. */
import { attributeInt, attributeInts, attributeString, type Node } from '../graph.ts'
import type { Shape } from './tape.ts'

/** One entry per spatial axis in every list. */
export interface Window {
	/** Elements of the kernel. */
	readonly kernel: Shape
	readonly strides: Shape
	readonly dilations: Shape
	/** Elements of zero (or nothing) before the first and behind the last. */
	readonly padBegin: Shape
	readonly padEnd: Shape
	/** Spatial shape of what the window slides over, and of what it gives. */
	readonly input: Shape
	readonly output: Shape
}

/**
 * The window of a Conv or of a pool, whose `auto_pad` is resolved (ONNX, Operators.md, "Conv").
 *
 * @param input spatial axes of the input, as are `output` and `kernel`
 */
export function windowOf(node: Node, input: Shape, output: Shape, kernel: Shape): Window {
	const base = { ...stepsOf(node, kernel), input, output }
	// What the last window needs behind the input; less than nothing where it ends before it.
	const total = input.map((size, axis) =>
		Math.max(0, (output[axis]! - 1) * base.strides[axis]! + extent(base, axis) - size),
	)
	return { ...base, ...padsOf(node, total) }
}

/**
 * The window that a ConvTranspose slides over its *output*: it is the adjoint of the Conv so described (ONNX, Operators.md,
 * "ConvTranspose"). `output_shape` and `auto_pad` are resolved as ONNX Runtime does (`ComputeTransposePadAndOutputShape`).
 */
export function transposedWindowOf(node: Node, input: Shape, output: Shape, kernel: Shape): Window {
	const base = { ...stepsOf(node, kernel), input: output, output: input }
	const extra = attributeInts(node, 'output_padding') ?? kernel.map(() => 0)
	const total = output.map((size, axis) =>
		Math.max(0, (input[axis]! - 1) * base.strides[axis]! + extra[axis]! + extent(base, axis) - size),
	)
	if (attributeInts(node, 'output_shape') === undefined) return { ...base, ...padsOf(node, total) }
	return { ...base, ...split(total, attributeString(node, 'auto_pad', 'NOTSET') !== 'SAME_UPPER') }
}

/** Elements from the first to the last that the kernel touches along `axis`. */
export function extent({ kernel, dilations }: Pick<Window, 'kernel' | 'dilations'>, axis: number): number {
	return (kernel[axis]! - 1) * dilations[axis]! + 1
}

/** Elements behind the input that the last window touches; less than zero where it ends before the input does. */
export function missingBehind(window: Window, axis: number): number {
	const { strides, output, padBegin, input } = window
	return (output[axis]! - 1) * strides[axis]! + extent(window, axis) - padBegin[axis]! - input[axis]!
}

function stepsOf(node: Node, kernel: Shape) {
	const ones = kernel.map(() => 1)
	return {
		kernel,
		strides: attributeInts(node, 'strides') ?? ones,
		dilations: attributeInts(node, 'dilations') ?? ones,
	}
}

function padsOf(node: Node, total: Shape): Pick<Window, 'padBegin' | 'padEnd'> {
	const autoPad = attributeString(node, 'auto_pad', 'NOTSET')
	if (autoPad.startsWith('SAME')) return split(total, autoPad === 'SAME_LOWER')
	const pads = autoPad === 'NOTSET' ? attributeInts(node, 'pads') : undefined
	const found = pads ?? total.flatMap(() => [0, 0])
	return { padBegin: found.slice(0, total.length), padEnd: found.slice(total.length) }
}

function split(total: Shape, isMoreBefore: boolean): Pick<Window, 'padBegin' | 'padEnd'> {
	const less = total.map((pad) => Math.floor(pad / 2))
	const more = total.map((pad, axis) => pad - less[axis]!)
	return isMoreBefore ? { padBegin: more, padEnd: less } : { padBegin: less, padEnd: more }
}

/** Groups of channels that a convolution keeps apart. */
export function groupOf(node: Node): number {
	return attributeInt(node, 'group', 1)
}

/** Every position in an array of that shape, the last axis fastest. */
export function positionsOf(shape: Shape): number[][] {
	return shape.reduce<number[][]>(
		(found, size) => found.flatMap((head) => Array.from({ length: size }, (_, at) => [...head, at])),
		[[]],
	)
}
