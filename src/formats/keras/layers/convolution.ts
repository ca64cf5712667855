/** Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose: kernels `[H, W, in, out]` become ONNX' `[out, in, H, W]`. */
import { InputError, UnsupportedError } from '../../../errors.ts'
import { activate, beforeActivation, readActivation } from '../activations.ts'
import type { KerasLayer, Size } from '../architecture.ts'
import type { Image } from '../build.ts'
import { readCount, readDataFormat, readFlag, readIntegers, readPadding, readPair } from '../settings.ts'
import type { ExpectedWeight, Weight } from '../weights.ts'
import { type LayerContext, type LayerTable, onlyInput } from './context.ts'
import { placeWindow, positive, type Window } from './window.ts'

/** `[H, W, in, out]` → `[out, in, H, W]`; for transposed convolutions `[H, W, out, in]` → `[in, out, H, W]`. */
const KERNEL_PERM = [3, 2, 0, 1]

function imageOf(context: LayerContext): Image {
	return context.build.image(onlyInput(context), readDataFormat(context.layer), context.layer.name)
}

function windowOf(layer: KerasLayer): Window {
	return {
		kernel: readPair(layer, 'kernel_size'),
		strides: readPair(layer, 'strides', 1),
		dilations: readPair(layer, 'dilation_rate', 1),
		padding: readPadding(layer),
	}
}

/**
 * The layer's weights: `kernels`, then a bias of `units` where it has one. Kernels in Theano order are refused: Theano flips them, TensorFlow
 * does not, and a Keras 1 file does not say which of the two trained it.
 */
function readKernels(context: LayerContext, kernels: readonly ExpectedWeight[], units: Size): Weight[] {
	const { layer, readWeights } = context
	if (layer.config.kernel_order === 'th') {
		throw new UnsupportedError(
			'unsupported-layer',
			`layer ${layer.name}: kernels in Theano order (Keras 1, dim_ordering "th") are not supported: save the model with Keras 2`,
			{ layer: layer.name },
		)
	}
	const hasBias = readFlag(layer, 'use_bias', true)
	return readWeights(layer, hasBias ? [...kernels, { role: 'bias', dims: [units] }] : kernels)
}

/** Initializers of the bias: none or one. */
function biasOf({ layer, build }: LayerContext, bias: Weight | undefined): string[] {
	return bias ? [build.weight(`${layer.name}/bias`, bias)] : []
}

function conv2d(context: LayerContext) {
	const { layer, build, name, kerasMajor } = context
	const image = imageOf(context)
	const window = windowOf(layer)
	const filters = readCount(layer, 'filters')
	const group = readCount(layer, 'groups', 1)
	const inputs = groupSize(image.channels, group, layer)
	const [kernel, bias] = readKernels(context, [{ role: 'kernel', dims: [...window.kernel, inputs, filters] }], filters)
	const { attributes, height, width } = placeWindow(window, image, layer)
	const activation = readActivation(layer, kerasMajor)
	const operands = [
		build.weight(`${layer.name}/kernel`, kernel as Weight, { perm: KERNEL_PERM }),
		...biasOf(context, bias),
	]
	const linear = build.emit(
		'Conv',
		[image.name, ...operands],
		image.flow(beforeActivation(name, activation, build), filters, height, width),
		{ kernel_shape: window.kernel, dilations: window.dilations, group, ...attributes },
		name,
	)
	return activate(build, activation, linear, name)
}

function groupSize(channels: Size, group: number, layer: KerasLayer): Size {
	if (channels === null || channels % group === 0) return channels && channels / group
	throw new InputError(
		'shape-mismatch',
		`layer ${layer.name}: expected channels divisible by groups (=${group}), found ${channels}`,
		{ layer: layer.name },
	)
}

/** The depthwise kernel `[H, W, C, M]` as ONNX' `[C·M, 1, H, W]`: filter `m` of channel `c` is output channel `c·M + m`. */
function depthwiseKernel({ layer, build }: LayerContext, role: string, kernel: Weight): string {
	const [rows, columns, channels, multiplier] = kernel.dims as [number, number, number, number]
	const placement = { reshape: [rows, columns, channels * multiplier, 1], perm: [2, 3, 0, 1] }
	return build.weight(`${layer.name}/${role}`, kernel, placement)
}

function depthwiseConv2d(context: LayerContext) {
	const { layer, build, name, kerasMajor } = context
	const image = imageOf(context)
	const window = windowOf(layer)
	const channels = knownChannels(image, layer)
	const multiplier = readCount(layer, 'depth_multiplier', 1)
	const filters = channels * multiplier
	const expected = { role: 'depthwise_kernel', dims: [...window.kernel, channels, multiplier] }
	const [kernel, bias] = readKernels(context, [expected], filters)
	const { attributes, height, width } = placeWindow(window, image, layer)
	const activation = readActivation(layer, kerasMajor)
	const operands = [depthwiseKernel(context, 'depthwise_kernel', kernel as Weight), ...biasOf(context, bias)]
	const linear = build.emit(
		'Conv',
		[image.name, ...operands],
		image.flow(beforeActivation(name, activation, build), filters, height, width),
		{ kernel_shape: window.kernel, dilations: window.dilations, group: channels, ...attributes },
		name,
	)
	return activate(build, activation, linear, name)
}

function separableConv2d(context: LayerContext) {
	const { layer, build, name, kerasMajor } = context
	const image = imageOf(context)
	const window = windowOf(layer)
	const channels = knownChannels(image, layer)
	const multiplier = readCount(layer, 'depth_multiplier', 1)
	const filters = readCount(layer, 'filters')
	const expected = [
		{ role: 'depthwise_kernel', dims: [...window.kernel, channels, multiplier] },
		{ role: 'pointwise_kernel', dims: [1, 1, channels * multiplier, filters] },
	]
	const [depthwise, pointwise, bias] = readKernels(context, expected, filters)
	const { attributes, height, width } = placeWindow(window, image, layer)
	const activation = readActivation(layer, kerasMajor)
	const spread = build.emit(
		'Conv',
		[image.name, depthwiseKernel(context, 'depthwise_kernel', depthwise as Weight)],
		image.flow(build.helper(`${name}/depthwise`), channels * multiplier, height, width),
		{ kernel_shape: window.kernel, dilations: window.dilations, group: channels, ...attributes },
	)
	const operands = [
		build.weight(`${layer.name}/pointwise_kernel`, pointwise as Weight, { perm: KERNEL_PERM }),
		...biasOf(context, bias),
	]
	const linear = build.emit(
		'Conv',
		[spread.name, ...operands],
		image.flow(beforeActivation(name, activation, build), filters, height, width),
		{ kernel_shape: [1, 1] },
		name,
	)
	return activate(build, activation, linear, name)
}

function knownChannels(image: Image, layer: KerasLayer): number {
	if (image.channels !== null) return image.channels
	throw new InputError('shape-mismatch', `layer ${layer.name}: the number of its input channels must be known`, {
		layer: layer.name,
	})
}

function conv2dTranspose(context: LayerContext) {
	const { layer, build, name, kerasMajor } = context
	const image = imageOf(context)
	const window = windowOf(layer)
	const filters = readCount(layer, 'filters')
	const [kernel, bias] = readKernels(
		context,
		[{ role: 'kernel', dims: [...window.kernel, filters, image.channels] }],
		filters,
	)
	const [rows, columns] = [spreadAxis(window, 0, layer), spreadAxis(window, 1, layer)]
	const activation = readActivation(layer, kerasMajor)
	const operands = [
		build.weight(`${layer.name}/kernel`, kernel as Weight, { perm: KERNEL_PERM }),
		...biasOf(context, bias),
	]
	const linear = build.emit(
		'ConvTranspose',
		[image.name, ...operands],
		image.flow(
			beforeActivation(name, activation, build),
			filters,
			rows.sizeOf(image.height),
			columns.sizeOf(image.width),
		),
		{
			kernel_shape: window.kernel,
			strides: window.strides,
			dilations: window.dilations,
			pads: [rows.before, columns.before, rows.after, columns.after],
			output_padding: [rows.extra, columns.extra],
		},
		name,
	)
	return activate(build, activation, linear, name)
}

/**
 * Keras first decides how large the result is, then TensorFlow cuts what is too much, evenly, the odd row at the end: the surplus over
 * that size is a constant, whatever the input's size. (`deconv_output_length` in keras/src/utils.)
 */
function spreadAxis({ kernel, strides, dilations, padding }: Window, axis: 0 | 1, layer: KerasLayer) {
	const stride = strides[axis]
	const extent = (kernel[axis] - 1) * dilations[axis] + 1
	const surplus = surplusOf(layer, axis, extent, stride, padding)
	const cut = Math.max(surplus, 0)
	const sizeOf = (size: Size): Size => size && positive((size - 1) * stride + extent - surplus, layer)
	return { before: Math.floor(cut / 2), after: Math.ceil(cut / 2), extra: Math.max(-surplus, 0), sizeOf }
}

function surplusOf(layer: KerasLayer, axis: 0 | 1, extent: number, stride: number, padding: 'valid' | 'same'): number {
	if (layer.config.output_padding == null) return padding === 'same' ? extent - stride : Math.min(extent - stride, 0)
	const outputPadding = readIntegers(layer, 'output_padding')
	const asked = outputPadding[axis] ?? (outputPadding[0] as number)
	return (padding === 'same' ? 2 * Math.floor(extent / 2) : 0) - asked
}

export const convolutionLayers: LayerTable = {
	Conv2D: conv2d,
	DepthwiseConv2D: depthwiseConv2d,
	SeparableConv2D: separableConv2d,
	Conv2DTranspose: conv2dTranspose,
}
