/** MaxPool, AveragePool and their global forms. */
import { attributeInt, attributeInts, elementCount, floatTensor, type Node } from '../graph.ts'
import { type AxisMap, axisMap, transposeMaps } from './along-axis.ts'
import type { Backstep, GradientRules } from './rule.ts'
import type { Shape, Tape } from './tape.ts'
import { extent, type Window, windowOf } from './window.ts'

export const poolingRules: GradientRules = {
	MaxPool: (step) => {
		const { node, tape, gradient } = step
		const window = poolWindow(step)
		const isRowMajor = attributeInt(node, 'storage_order', 0) === 0
		const told = isRowMajor ? node.outputs[1] : undefined
		if (!told && isQuartering(window, tape.shapeOf(node.inputs[0]!))) return [toMaxima(step)]
		const indices = told || indicesOf(tape, node)
		return [scatterWindows(tape, gradient, indices, tape.shapeOf(node.inputs[0]!), window)]
	},
	GlobalMaxPool: ({ node, tape, gradient }) => {
		const shape = tape.shapeOf(node.inputs[0]!)
		const kernel_shape = shape.slice(2)
		const [, indices] = tape.emitMany('MaxPool', [node.inputs[0]!], 2, { kernel_shape }) as [string, string]
		return [unpool(tape, gradient, indices, shape)]
	},
	AveragePool: (step) => {
		const { node, tape, gradient } = step
		const window = poolWindow(step)
		if (isQuartering(window, tape.shapeOf(node.inputs[0]!))) {
			return [doubled(tape, tape.emit('Mul', [gradient, tape.scalar(1 / 4)]))]
		}
		const maps = window.kernel.map((_, axis) => averageAlong(window, axis, isPadCounted(node)))
		return [transposeMaps(tape, gradient, tape.shapeOf(node.outputs[0]!), maps)]
	},
	GlobalAveragePool: ({ node, tape, gradient }) => {
		const shape = tape.shapeOf(node.inputs[0]!)
		const share = tape.emit('Mul', [gradient, tape.scalar(1 / elementCount(shape.slice(2)))])
		return [tape.emit('Expand', [share, tape.integers(shape)])]
	},
}

/** Windows of 2×2, side by side, that cover the whole map. */
function isQuartering({ kernel, strides, dilations, input, output, padBegin }: Window, shape: Shape): boolean {
	const isHalved = (axis: number) =>
		kernel[axis] === 2 &&
		strides[axis] === 2 &&
		dilations[axis] === 1 &&
		padBegin[axis] === 0 &&
		input[axis] === 2 * output[axis]!
	return shape.length === 4 && isHalved(0) && isHalved(1)
}

/**
 * The gradient of pooling 2×2 goes to whatever equals the maximum of its window, in equal shares. Places as MaxPool tells them would cost three
 * times as much: its kernel without them is many times faster, and doubling a map is a copy.
 */
function toMaxima({ node, tape, gradient }: Backstep): string {
	const isMaximum = tape.emit('Equal', [node.inputs[0]!, doubled(tape, node.outputs[0]!)])
	const mask = tape.cast(isMaximum, 'float32')
	const share = tape.emit('AveragePool', [mask], { kernel_shape: [2, 2], strides: [2, 2] })
	const each = tape.emit('Mul', [tape.emit('Div', [gradient, share]), tape.scalar(1 / 4)])
	return tape.emit('Mul', [mask, doubled(tape, each)])
}

/** Every element of a map repeated two by two. */
function doubled(tape: Tape, name: string): string {
	return tape.emit('Resize', [name, '', tape.constant(floatTensor([4], [1, 1, 2, 2]))], {
		mode: 'nearest',
		coordinate_transformation_mode: 'asymmetric',
		nearest_mode: 'floor',
	})
}

function poolWindow({ node, tape }: Backstep): Window {
	const kernel = attributeInts(node, 'kernel_shape')!
	return windowOf(node, tape.shapeOf(node.inputs[0]!).slice(2), tape.shapeOf(node.outputs[0]!).slice(2), kernel)
}

/** Runs the pooling again for the places of the maxima: numbers of elements in the whole input. */
function indicesOf(tape: Tape, node: Node): string {
	const { storage_order: _, ...attributes } = node.attributes
	return tape.againMany({ ...node, attributes }, node.inputs, 2)[1]!
}

/**
 * Sends each element of `gradient` to the place that `indices` tells. MaxUnpool writes and does not add, so windows that overlap take the
 * slower ScatterElements; MaxUnpool in turns that do not overlap, and their sum, took half as long again.
 */
function scatterWindows(tape: Tape, gradient: string, indices: string, shape: Shape, window: Window): string {
	const isApart = window.strides.every((stride, axis) => window.output[axis] === 1 || extent(window, axis) <= stride)
	if (isApart) return unpool(tape, gradient, indices, shape)
	const places = tape.integers([elementCount(shape.slice(0, 2)) * elementCount(window.output)])
	const [flatIndices, flatGradient] = [indices, gradient].map((name) => tape.emit('Reshape', [name, places]))
	const zeros = tape.zeros([elementCount(shape)])
	const operands = [zeros, flatIndices!, flatGradient!]
	return tape.reshape(tape.emit('ScatterElements', operands, { axis: 0, reduction: 'add' }), shape)
}

/** `indices` count in an array of `shape`, which is all that matters here: the kernel that MaxUnpool wants told is not used. */
function unpool(tape: Tape, gradient: string, indices: string, shape: Shape): string {
	return tape.emit('MaxUnpool', [gradient, indices, tape.integers(shape)], {
		kernel_shape: shape.slice(2).map(() => 1),
	})
}

/** Averages over a rectangle are averages along each axis in turn, and so are their divisors. */
function averageAlong(window: Window, axis: number, isCounted: boolean): AxisMap {
	const { kernel, strides, dilations, input, output, padBegin, padEnd } = window
	const size = input[axis]!
	return axisMap(axis + 2, size, output[axis]!, (at) => {
		const first = at * strides[axis]! - padBegin[axis]!
		const places = Array.from({ length: kernel[axis]! }, (_, k) => first + k * dilations[axis]!)
		const inside = places.filter((place) => place >= 0 && place < size)
		// Where ceil_mode lets a window reach beyond the padding, what lies there is not counted.
		const counted = isCounted ? places.filter((place) => place < size + padEnd[axis]!) : inside
		return inside.map((place) => [place, 1 / counted.length] as const)
	})
}

function isPadCounted(node: Node): boolean {
	return attributeInt(node, 'count_include_pad', 0) === 1
}
