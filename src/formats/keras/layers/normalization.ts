/** BatchNormalization, Normalization, Rescaling. */
import { UnsupportedError } from '../../../errors.ts'
import { floatTensor } from '../../../graph/graph.ts'
import type { KerasLayer, Size } from '../architecture.ts'
import type { Flow } from '../build.ts'
import { badConfig } from '../json.ts'
import { readFlag, readIntegers, readNumber } from '../settings.ts'
import type { Weight } from '../weights.ts'
import { type LayerContext, type LayerTable, onlyInput, storedAxis } from './context.ts'

function batchNormalization(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = onlyInput(context)
	const [axis, ...others] = readIntegers(layer, 'axis', -1)
	if (axis === undefined || others.length > 0 || (layer.config.mode ?? 0) !== 0) {
		throw new UnsupportedError(
			'unsupported-layer',
			`layer ${layer.name}: batch normalisation over one axis in mode 0 only`,
			{
				layer: layer.name,
			},
		)
	}
	const turned = channelsSecond(context, input, axis)
	const channels = input.shape[(axis < 0 ? axis + input.shape.length + 1 : axis) - 1] ?? null
	const operands = batchStatistics(context, channels)
	const epsilon = readNumber(layer, 'epsilon', 1e-3)
	if (!turned.back)
		return build.emit(
			'BatchNormalization',
			[turned.flow.name, ...operands],
			{ ...turned.flow, name },
			{ epsilon: { float: epsilon } },
		)
	const inner = { ...turned.flow, name: build.helper(`${name}/turned`) }
	build.emit('BatchNormalization', [turned.flow.name, ...operands], inner, { epsilon: { float: epsilon } }, name)
	return build.emit('Transpose', [inner.name], { ...input, name }, { perm: turned.back }, `${name}/transpose`)
}

/** `input` with the normalised axis second, as ONNX wants it; `back` is how to undo it where the layout does not remember that. */
function channelsSecond(
	{ layer, build, name }: LayerContext,
	input: Flow,
	axis: number,
): { flow: Flow; back?: number[] } {
	if (storedAxis(axis, input, layer) === 1) return { flow: input }
	const rank = input.shape.length + 1
	const isLast = storedAxis(axis, { ...input, layout: 'keras' }, layer) === rank - 1
	if (isLast && rank === 4) return { flow: build.asNchw(input) }
	if (isLast && rank === 3) {
		const [length, channels] = input.shape as [Size, Size]
		const flow: Flow = { name: build.helper(`${name}/channels_first`), shape: [channels, length], layout: 'keras' }
		return { flow: build.emit('Transpose', [input.name], flow, { perm: [0, 2, 1] }), back: [0, 2, 1] }
	}
	throw new UnsupportedError(
		'unsupported-layer',
		`layer ${layer.name}: batch normalisation over axis ${axis} of ${rank} is not supported`,
		{
			layer: layer.name,
		},
	)
}

/** Scale, shift, mean and variance `[C]`, in ONNX' order; ones and zeros where the layer stores none. */
function batchStatistics({ layer, build, readWeights }: LayerContext, channels: Size): string[] {
	const stored = [
		...(readFlag(layer, 'scale', true) ? ['gamma'] : []),
		...(readFlag(layer, 'center', true) ? ['beta'] : []),
		'moving_mean',
		'moving_variance',
	]
	const weights = readWeights(
		layer,
		stored.map((role) => ({ role, dims: [channels] })),
	)
	const size = weights[0]?.values.length ?? 0
	return ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((role) => {
		const weight = weights[stored.indexOf(role)]
		if (weight) return build.weight(`${layer.name}/${role}`, weight)
		return build.constant(
			`${layer.name}/${role}`,
			floatTensor([size], new Float32Array(size).fill(role === 'gamma' ? 1 : 0)),
		)
	})
}

/** `x * scale + offset`; each a number, or one per channel. */
function rescaling(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = onlyInput(context)
	const scale = broadcastable(context, input, readValues(layer, 'scale', 1))
	const offset = broadcastable(context, input, readValues(layer, 'offset', 0))
	const scaled = build.emit('Mul', [input.name, scale], { ...input, name: build.helper(`${name}/scaled`) })
	return build.emit('Add', [scaled.name, offset], { ...input, name })
}

/** Keras adds this floor to the divisor, so that constant features do not divide by zero (`keras.backend.epsilon()`). */
const MIN_DEVIATION = 1e-7

/** `(x − mean) / max(√variance, 1e-7)` per feature of the last axis. Statistics stand in the settings or among the weights. */
function normalization(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = onlyInput(context)
	const [axis, ...others] = layer.config.axis === null ? [] : readIntegers(layer, 'axis', -1)
	const isLast = axis === -1 || axis === input.shape.length
	if (others.length > 0 || !isLast || layer.config.invert === true) {
		throw new UnsupportedError(
			'unsupported-layer',
			`layer ${layer.name}: normalisation over the last axis only, not inverted`,
			{ layer: layer.name },
		)
	}
	const { mean, variance } = statistics(context, input)
	const deviation = variance.map((value) => Math.max(Math.sqrt(value), MIN_DEVIATION))
	const centred = { ...input, name: build.helper(`${name}/centred`) }
	build.emit('Sub', [input.name, mean], centred)
	return build.emit('Div', [centred.name, broadcastable(context, input, deviation)], { ...input, name })
}

function statistics(context: LayerContext, input: Flow): { mean: string; variance: number[] } {
	const { layer, build, readWeights } = context
	if (layer.config.mean != null) {
		const mean = broadcastable(context, input, readValues(layer, 'mean', 0))
		return { mean, variance: readValues(layer, 'variance', 1) }
	}
	const features = input.shape.at(-1) ?? null
	const [mean, variance] = readWeights(layer, [
		{ role: 'mean', dims: [features] },
		{ role: 'variance', dims: [features] },
	]) as [Weight, Weight]
	const reshape = channelShape(input, mean.values.length)
	return { mean: build.weight(`${layer.name}/mean`, mean, { reshape }), variance: [...variance.values] }
}

/** A setting that holds a number or (nested) lists of numbers. */
function readValues(layer: KerasLayer, key: string, fallback: number): number[] {
	const value = layer.config[key] ?? fallback
	const values: unknown[] = Array.isArray(value) ? value.flat(4) : [value]
	if (values.length > 0 && values.every((item) => Number.isFinite(item))) return values as number[]
	throw badConfig(`layer ${layer.name} (${layer.className}), setting ${key}`, 'numbers', value, layer.name)
}

/** A constant that multiplies or shifts `input`, one value for all or one per channel. */
function broadcastable({ layer, build }: LayerContext, input: Flow, values: readonly number[]): string {
	if (values.length === 1) return build.scalar(values[0] as number)
	const channels = input.shape.at(-1)
	if (channels !== values.length)
		throw badConfig(`layer ${layer.name} (${layer.className})`, `one number or ${channels}`, values, layer.name)
	return build.constant(`${layer.name}/constant`, floatTensor(channelShape(input, values.length), values))
}

/** The shape in which one value per channel meets `input`: `[C]`, or `[C, 1, 1]` where the channels stand in front. */
function channelShape(input: Flow, channels: number): number[] {
	return input.layout === 'nchw' ? [channels, 1, 1] : [channels]
}

export const normalizationLayers: LayerTable = {
	BatchNormalization: batchNormalization,
	Normalization: normalization,
	Rescaling: rescaling,
}
