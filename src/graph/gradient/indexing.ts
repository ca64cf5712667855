/** Operators that take some elements: Slice, Gather, GatherElements. The gradient goes back to where they stood, over zeros. */
import { attributeInt, elementCount, intsOf, type Tensor } from '../graph.ts'
import type { Backstep, GradientRules } from './rule.ts'
import type { Shape, Tape } from './tape.ts'

export const indexingRules: GradientRules = {
	Slice: (step) => {
		const operands = step.node.inputs.slice(1).map((name) => (name ? step.tape.constantOf(name) : null))
		return [operands.includes(undefined) ? unsliceByIndex(step) : unslice(step)]
	},
	Gather: (step) => {
		const { node, tape, gradient } = step
		const [data, indices] = node.inputs as [string, string]
		const shape = tape.shapeOf(data)
		const axis = positive(attributeInt(node, 'axis', 0), shape.length)
		const count = elementCount(tape.shapeOf(indices))
		const constant = tape.constantOf(indices)
		const lines = tape.reshape(gradient, shape.with(axis, count))
		if (count === 1 && constant) {
			const start = positive(intsOf(constant)[0]!, shape[axis]!)
			return [
				pad(
					tape,
					lines,
					shape.map((_, i) => (i === axis ? start : 0)),
					shape.with(axis, 1),
					shape,
				),
			]
		}
		const along = tape.reshape(
			indices,
			shape.map((_, i) => (i === axis ? count : 1)),
		)
		const everywhere = tape.emit('Expand', [along, tape.integers(shape.with(axis, count))])
		return [scatterAdd(tape, shape, everywhere, lines, axis)]
	},
	GatherElements: ({ node, tape, gradient }) => {
		const [data, indices] = node.inputs as [string, string]
		return [scatterAdd(tape, tape.shapeOf(data), indices, gradient, attributeInt(node, 'axis', 0))]
	},
}

/**
 * ScatterElements and not ScatterND, which several threads of ONNX Runtime run over equal indices at once, with results that change from run
 * to run (github.com/microsoft/onnxruntime/issues/18048). Both add since opset 16.
 */
function scatterAdd(tape: Tape, shape: Shape, indices: string, updates: string, axis: number): string {
	return tape.emit('ScatterElements', [tape.zeros(shape), indices, updates], { axis, reduction: 'add' })
}

function positive(index: number, length: number): number {
	return index < 0 ? index + length : index
}

/** `name`, of shape `from`, with zeros around: `before` in front of each axis and behind it what is missing to shape `to` (or too much). */
function pad(tape: Tape, name: string, before: readonly number[], from: Shape, to: Shape): string {
	const behind = to.map((dim, axis) => dim - before[axis]! - from[axis]!)
	const pads = [...before, ...behind]
	return pads.every((each) => each === 0) ? name : tape.emit('Pad', [name, tape.integers(pads)])
}

interface Range {
	readonly axis: number
	/** Lowest index taken. */
	readonly low: number
	/** Distance between neighbours, negative where they come in reverse. */
	readonly step: number
}

/** By padding: a slice with steps is first pulled apart. */
function unslice({ node, tape, gradient }: Backstep): string {
	const to = tape.shapeOf(node.inputs[0]!)
	const from = [...tape.shapeOf(node.outputs[0]!)]
	const before = to.map(() => 0)
	let name = gradient
	for (const { axis, low, step } of rangesOf(node.inputs, tape, to, from)) {
		before[axis] = low
		if (step < 0) name = reverse(tape, name, axis)
		const stride = Math.abs(step)
		if (stride === 1 || from[axis]! < 2) continue
		name = pullApart(tape, name, from, axis, stride)
		from[axis]! *= stride
	}
	return pad(tape, name, before, from, to)
}

function rangesOf(inputs: readonly string[], tape: Tape, shape: Shape, sliced: Shape): Range[] {
	const [starts, , axes, steps] = inputs.slice(1).map((name) => numbersOf(tape.constantOf(name)))
	return starts!.map((start, i) => {
		const axis = positive(axes?.[i] ?? i, shape.length)
		const step = steps?.[i] ?? 1
		const length = shape[axis]!
		const first = Math.min(Math.max(positive(start, length), 0), step < 0 ? length - 1 : length)
		return { axis, step, low: step < 0 ? first + (sliced[axis]! - 1) * step : first }
	})
}

function numbersOf(tensor: Tensor | undefined): number[] | undefined {
	return tensor && intsOf(tensor)
}

function reverse(tape: Tape, name: string, axis: number): string {
	const [start, end, step] = [-1, Number.MIN_SAFE_INTEGER, -1].map((value) => tape.integers([value]))
	return tape.emit('Slice', [name, start!, end!, tape.integers([axis]), step!])
}

/** Puts `stride − 1` zeros behind each element along `axis`. */
function pullApart(tape: Tape, name: string, shape: Shape, axis: number, stride: number): string {
	const apart = shape.toSpliced(axis + 1, 0, 1)
	const padded = pad(
		tape,
		tape.reshape(name, apart),
		apart.map(() => 0),
		apart,
		apart.with(axis + 1, stride),
	)
	return tape.reshape(padded, shape.with(axis, shape[axis]! * stride))
}

/** Where the graph computes the bounds: slices the numbers of all elements in the same way, and scatters to those. */
function unsliceByIndex({ node, tape, gradient }: Backstep): string {
	const shape = tape.shapeOf(node.inputs[0]!)
	const count = elementCount(shape)
	const numbers = tape.integers([...Array(count).keys()])
	const taken = tape.again(node, [tape.reshape(numbers, shape), ...node.inputs.slice(1)])
	const flat = tape.emit('ScatterElements', [
		tape.zeros([count]),
		tape.reshape(taken, [-1]),
		tape.reshape(gradient, [-1]),
	])
	return tape.reshape(flat, shape)
}
