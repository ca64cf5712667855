/** Layers that join several inputs: sums, products, extrema, concatenation. */
import { FormatError, InputError, UnsupportedError } from '../../../errors.ts'
import type { Size } from '../architecture.ts'
import type { Flow } from '../build.ts'
import { readIntegers } from '../settings.ts'
import { type LayerContext, type LayerTable, storedAxis } from './context.ts'

/** The inputs in one layout: NCHW as soon as one of them is, so that no feature map is turned back. */
function aligned({ layer, inputs, build }: LayerContext): Flow[] {
	if (inputs.length === 0)
		throw new FormatError('bad-config', `layer ${layer.name}: expected inputs, found none`, { layer: layer.name })
	const ranks = new Set(inputs.map((input) => input.shape.length))
	if (ranks.size > 1) {
		throw new UnsupportedError(
			'unsupported-layer',
			`layer ${layer.name} (${layer.className}): its inputs differ in rank`,
			{
				layer: layer.name,
			},
		)
	}
	return inputs.some((input) => input.layout === 'nchw') ? inputs.map((input) => build.asNchw(input)) : [...inputs]
}

/** The shape that all of `flows` broadcast to. */
function broadcast({ layer }: LayerContext, flows: readonly Flow[]): Size[] {
	const [first] = flows as [Flow]
	return first.shape.map((_, axis) => {
		const sizes = new Set(flows.map((flow) => flow.shape[axis] ?? null).filter((size) => size !== 1))
		const known = [...sizes].filter((size) => size !== null)
		if (known.length <= 1) return sizes.size === 0 ? 1 : (known[0] ?? null)
		throw new InputError(
			'shape-mismatch',
			`layer ${layer.name} (${layer.className}): expected inputs of one shape, found ${flows.map((flow) => `[${flow.shape.join(', ')}]`).join(' and ')}`,
			{ layer: layer.name },
		)
	})
}

/** A chain of `op` on two at a time, as ONNX' Add and Mul want it; the last node makes `outputName`. */
function chain(context: LayerContext, op: string, outputName: string): Flow {
	const { build, name } = context
	const flows = aligned(context)
	const [first, ...others] = flows as [Flow, ...Flow[]]
	const output: Flow = { ...first, shape: broadcast(context, flows), name: outputName }
	if (others.length === 0) return build.emit('Identity', [first.name], output)
	return others.reduce((sum, flow, index) => {
		const isLast = index === others.length - 1
		const next = isLast ? outputName : build.helper(`${name}/${op.toLowerCase()}_${index + 1}`)
		return build.emit(op, [sum.name, flow.name], { ...output, name: next })
	}, first)
}

function chained(op: string) {
	return (context: LayerContext): Flow => chain(context, op, context.name)
}

function subtract(context: LayerContext): Flow {
	const { layer, inputs } = context
	if (inputs.length === 2) return chain(context, 'Sub', context.name)
	throw new FormatError('bad-config', `layer ${layer.name}: expected two inputs, found ${inputs.length}`, {
		layer: layer.name,
	})
}

function average(context: LayerContext): Flow {
	const { build, name, inputs } = context
	const sum = chain(context, 'Add', build.helper(`${name}/sum`))
	return build.emit('Mul', [sum.name, build.scalar(1 / inputs.length)], { ...sum, name })
}

/** Max and Min of ONNX take any number of inputs. */
function extremum(op: 'Max' | 'Min') {
	return (context: LayerContext): Flow => {
		const flows = aligned(context)
		const [first] = flows as [Flow]
		const output: Flow = { ...first, shape: broadcast(context, flows), name: context.name }
		return context.build.emit(
			op,
			flows.map((flow) => flow.name),
			output,
		)
	}
}

function concatenate(context: LayerContext): Flow {
	const { layer, build, name } = context
	const flows = aligned(context)
	const [first] = flows as [Flow]
	const [axis] = readIntegers(layer, 'axis', -1) as [number]
	const stored = storedAxis(axis, first, layer)
	const kerasAxis = (axis < 0 ? axis + first.shape.length + 1 : axis) - 1
	const sizes = flows.map((flow) => flow.shape[kerasAxis] ?? null)
	const total = sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0)
	const output: Flow = { ...first, shape: first.shape.map((size, index) => (index === kerasAxis ? total : size)), name }
	return build.emit(
		'Concat',
		flows.map((flow) => flow.name),
		output,
		{ axis: stored },
	)
}

export const mergeLayers: LayerTable = {
	Add: chained('Add'),
	Subtract: subtract,
	Multiply: chained('Mul'),
	Average: average,
	Maximum: extremum('Max'),
	Minimum: extremum('Min'),
	Concatenate: concatenate,
}
