import { describe, expect, it } from 'vitest'
import { numbers, ravel, runLayer, sequential, transposed, unravel } from './model.ts'
import { conv2d, conv2dTranspose, depthwiseConv2d, pool2d } from './naive.ts'
import { distance, type NdArray, run } from './run.ts'

function expectClose(actual: NdArray | undefined, expected: NdArray, tolerance = 2e-5): void {
	expect(actual?.dims).toEqual(expected.dims)
	expect(distance(actual!.values, expected.values)).toBeLessThan(tolerance)
}

function map(input: NdArray, change: (value: number, index: number) => number): NdArray {
	return { dims: input.dims, values: Array.from(input.values, change) }
}

const toFirst = [0, 3, 1, 2]

describe('Conv2D', () => {
	const input = numbers(1, 7, 6, 4)
	const kernel = numbers(3, 3, 4, 6)

	it.each([
		['valid', 1, 1],
		['valid', 2, 1],
		['same', 1, 1],
		['same', 2, 1],
		['same', 3, 1],
		['same', 1, 2],
	] as const)('padding %s, stride %i, dilation %i, as by plain loops', async (padding, stride, dilation) => {
		const config = {
			filters: 6,
			kernel_size: [3, 3],
			strides: stride,
			dilation_rate: dilation,
			padding,
			use_bias: false,
		}
		expectClose(await runLayer('Conv2D', config, input, [kernel]), conv2d(input, kernel, { padding, stride, dilation }))
	})

	it('pads an even kernel at the bottom right', async () => {
		const even = numbers(2, 2, 4, 3)
		const config = { filters: 3, kernel_size: 2, padding: 'same', use_bias: false }
		expectClose(await runLayer('Conv2D', config, input, [even]), conv2d(input, even, { padding: 'same' }))
	})

	it('convolves groups of channels apart', async () => {
		const grouped = numbers(3, 3, 2, 6)
		const config = { filters: 6, kernel_size: 3, groups: 2, use_bias: false }
		expectClose(await runLayer('Conv2D', config, input, [grouped]), conv2d(input, grouped, { groups: 2 }))
	})

	it('gives with channels_first what it gives with channels_last', async () => {
		const config = {
			filters: 6,
			kernel_size: 3,
			padding: 'same',
			strides: 2,
			use_bias: false,
			data_format: 'channels_first',
		}
		const expected = transposed(conv2d(input, kernel, { padding: 'same', stride: 2 }), toFirst)
		expectClose(await runLayer('Conv2D', config, transposed(input, toFirst), [kernel]), expected)
	})

	it('leaves same padding with strides to the runtime where the input size is open', async () => {
		const config = { filters: 6, kernel_size: 3, padding: 'same', strides: 2, use_bias: false }
		const graph = sequential([null, null, 4], [['Conv2D', config]], { layer_0: [kernel] })
		const [output] = await run(graph, [input])
		expectClose(output, conv2d(input, kernel, { padding: 'same', stride: 2 }))
	})

	it('reads the spelling of Keras 1', async () => {
		const config = {
			nb_filter: 6,
			nb_row: 3,
			nb_col: 3,
			subsample: [2, 2],
			border_mode: 'same',
			dim_ordering: 'tf',
			bias: false,
		}
		expectClose(
			await runLayer('Convolution2D', config, input, [kernel]),
			conv2d(input, kernel, { padding: 'same', stride: 2 }),
		)
	})
})

describe('other convolutions', () => {
	const input = numbers(1, 5, 6, 3)

	it.each(['same', 'valid'] as const)('DepthwiseConv2D with two filters a channel, padding %s', async (padding) => {
		const kernel = numbers(3, 3, 3, 2)
		const config = { kernel_size: 3, depth_multiplier: 2, padding, use_bias: false }
		expectClose(await runLayer('DepthwiseConv2D', config, input, [kernel]), depthwiseConv2d(input, kernel, { padding }))
	})

	it('SeparableConv2D is a depthwise convolution, then a 1×1 one with the bias', async () => {
		const [depthwise, pointwise, bias] = [numbers(3, 3, 3, 2), numbers(1, 1, 6, 4), numbers(4)]
		const config = { filters: 4, kernel_size: 3, depth_multiplier: 2, padding: 'same', strides: 2 }
		const linear = conv2d(depthwiseConv2d(input, depthwise, { padding: 'same', stride: 2 }), pointwise)
		const expected = map(linear, (value, index) => value + (bias.values[index % 4] as number))
		expectClose(await runLayer('SeparableConv2D', config, input, [depthwise, pointwise, bias]), expected)
	})

	it.each([
		[3, 2, 'same'],
		[3, 2, 'valid'],
		[4, 2, 'same'],
		[2, 3, 'same'],
		[2, 3, 'valid'],
		[3, 1, 'same'],
	] as const)('Conv2DTranspose with kernel %i, stride %i, padding %s', async (size, strides, padding) => {
		const kernel = numbers(size, size, 2, 3)
		const config = { filters: 2, kernel_size: size, strides, padding, use_bias: false }
		expectClose(
			await runLayer('Conv2DTranspose', config, input, [kernel]),
			conv2dTranspose(input, kernel, strides, padding),
		)
	})
})

describe('pools', () => {
	const input = numbers(1, 5, 7, 2)

	it.each([
		['MaxPooling2D', 'max', 'same'],
		['MaxPooling2D', 'max', 'valid'],
		['AveragePooling2D', 'average', 'same'],
		['AveragePooling2D', 'average', 'valid'],
	] as const)('%s (%s), padding %s, counts only pixels that exist', async (className, kind, padding) => {
		const config = { pool_size: [3, 3], strides: [2, 2], padding }
		expectClose(await runLayer(className, config, input), pool2d(input, 3, { padding, stride: 2 }, kind))
	})

	it('global pools keep their dimensions when asked to', async () => {
		const kept = await runLayer('GlobalAveragePooling2D', { keepdims: true }, input)
		const flat = await runLayer('GlobalAveragePooling2D', {}, input)
		const mean = (c: number) =>
			Array.from(input.values).reduce((sum, value, index) => sum + (index % 2 === c ? value : 0), 0) / 35
		expectClose(flat, { dims: [1, 2], values: [mean(0), mean(1)] })
		expectClose(kept, { dims: [1, 1, 1, 2], values: flat.values })
	})
})

describe('activations', () => {
	const input = { dims: [1, 9], values: [-8, -3, -1, -0.25, 0, 0.25, 1, 3, 8] }
	const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
	const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)
	/** Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
	const erf = (x: number) => {
		const t = 1 / (1 + 0.3275911 * Math.abs(x))
		const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
		return Math.sign(x) * (1 - sum * Math.exp(-x * x))
	}
	const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

	it.each([
		['relu', (x: number) => Math.max(x, 0)],
		['relu6', (x: number) => clip(x, 0, 6)],
		['sigmoid', sigmoid],
		['tanh', Math.tanh],
		['softplus', (x: number) => Math.log1p(Math.exp(x))],
		['softsign', (x: number) => x / (1 + Math.abs(x))],
		['exponential', Math.exp],
		['swish', (x: number) => x * sigmoid(x)],
		['silu', (x: number) => x * sigmoid(x)],
		['elu', (x: number) => (x > 0 ? x : Math.expm1(x))],
		['selu', (x: number) => 1.05070098 * (x > 0 ? x : 1.67326324 * Math.expm1(x))],
		['gelu', (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
		['linear', (x: number) => x],
		['hard_sigmoid', (x: number) => clip(0.2 * x + 0.5, 0, 1)],
	])('%s', async (activation, expected) => {
		expectClose(await runLayer('Activation', { activation }, input), map(input, expected), 1e-3)
	})

	it('hard_sigmoid has another slope from Keras 3 on', async () => {
		const output = await runLayer('Activation', { activation: 'hard_sigmoid' }, input, [], '3.3.3')
		expectClose(
			output,
			map(input, (x) => clip(x / 6 + 0.5, 0, 1)),
		)
	})

	it('reads functions serialised as objects', async () => {
		const relu = { module: 'builtins', class_name: 'function', config: 'relu', registered_name: 'function' }
		const gelu = { class_name: 'gelu', config: { approximate: true } }
		const leaky = { class_name: 'LeakyReLU', config: { alpha: 0.5 } }
		expectClose(
			await runLayer('Activation', { activation: relu }, input),
			map(input, (x) => Math.max(x, 0)),
		)
		expectClose(await runLayer('Activation', { activation: gelu }, input), map(input, geluTanh))
		expectClose(
			await runLayer('Activation', { activation: leaky }, input),
			map(input, (x) => (x < 0 ? x / 2 : x)),
		)
	})

	it.each([
		[null, 0, 0],
		[2, 0, 0],
		[2, 0.5, 0],
		[null, 0, 0.5],
		[2, 0.5, -0.5],
		[2, 0.5, 0.5],
	])('ReLU with max_value %s, negative_slope %f, threshold %f', async (max_value, negative_slope, threshold) => {
		const relu = (x: number) => (x > threshold ? Math.min(x, max_value ?? x) : negative_slope * (x - threshold))
		expectClose(await runLayer('ReLU', { max_value, negative_slope, threshold }, input), map(input, relu))
	})

	it('PReLU has a slope per element, or per channel where the other axes are shared', async () => {
		const image = numbers(1, 3, 4, 2)
		const [slopes, shared] = [numbers(3, 4, 2), numbers(1, 1, 2)]
		const bend = (slope: NdArray, size: number) =>
			map(image, (x, index) => (x < 0 ? x * (slope.values[index % size] as number) : x))
		expectClose(await runLayer('PReLU', {}, image, [slopes]), bend(slopes, 24))
		expectClose(await runLayer('PReLU', { shared_axes: [1, 2] }, image, [shared]), bend(shared, 2))
	})

	it('PReLU after a convolution turns its slopes with the channels', async () => {
		const [image, kernel, slopes] = [numbers(1, 3, 4, 2), numbers(1, 1, 2, 3), numbers(3, 4, 3)]
		const layers = [
			['Conv2D', { filters: 3, kernel_size: 1, use_bias: false }],
			['PReLU', {}],
		] as const
		const [output] = await run(sequential([3, 4, 2], layers, { layer_0: [kernel], layer_1: [slopes] }), [image])
		expectClose(
			output,
			map(conv2d(image, kernel), (x, index) => (x < 0 ? x * (slopes.values[index] as number) : x)),
		)
	})

	it('softmax of a feature map runs over its channels', async () => {
		const [image, kernel] = [numbers(1, 3, 4, 2), numbers(1, 1, 2, 3)]
		const graph = sequential(
			[3, 4, 2],
			[['Conv2D', { filters: 3, kernel_size: 1, use_bias: false, activation: 'softmax' }]],
			{ layer_0: [kernel] },
		)
		const [output] = await run(graph, [image])
		const linear = conv2d(image, kernel)
		const total = (index: number) =>
			[0, 1, 2].reduce((sum, c) => sum + Math.exp(linear.values[index - (index % 3) + c] as number), 0)
		expectClose(
			output,
			map(linear, (x, index) => Math.exp(x) / total(index)),
		)
	})
})

describe('normalisation', () => {
	const image = numbers(1, 3, 4, 2)

	it('BatchNormalization without scale starts with beta', async () => {
		const pair = (...values: number[]): NdArray => ({ dims: [2], values })
		const [beta, mean, variance] = [pair(1, -1), pair(0.5, 0.25), pair(4, 0.25)]
		const of = ({ values }: NdArray, index: number) => values[index % 2] as number
		const expected = map(
			image,
			(x, index) => (x - of(mean, index)) / Math.sqrt(of(variance, index) + 0.01) + of(beta, index),
		)
		const config = { axis: [3], scale: false, epsilon: 0.01 }
		expectClose(await runLayer('BatchNormalization', config, image, [beta, mean, variance]), expected)
	})

	it('Rescaling takes one number or one per channel', async () => {
		expectClose(
			await runLayer('Rescaling', { scale: 0.5, offset: -1 }, image),
			map(image, (x) => x / 2 - 1),
		)
		const perChannel = { scale: [2, 3], offset: [0, 1] }
		expectClose(
			await runLayer('Rescaling', perChannel, image),
			map(image, (x, index) => (index % 2 ? 3 * x + 1 : 2 * x)),
		)
	})

	it('Normalization takes its statistics from the weights or from the settings', async () => {
		const [mean, variance] = [
			{ dims: [2], values: [0.5, -0.5] },
			{ dims: [2], values: [4, 0.25] },
		]
		const expected = map(image, (x, index) => (index % 2 ? (x + 0.5) / 0.5 : (x - 0.5) / 2))
		expectClose(await runLayer('Normalization', { axis: -1 }, image, [mean, variance]), expected)
		expectClose(await runLayer('Normalization', { mean: mean.values, variance: variance.values }, image), expected)
	})
})

describe('layers that move numbers', () => {
	const image = numbers(1, 3, 4, 2)
	const kernel = numbers(1, 1, 2, 5)
	const features = conv2d(image, kernel)
	const afterConv = async (className: string, config: object) => {
		const layers = [
			['Conv2D', { filters: 5, kernel_size: 1, use_bias: false }],
			[className, config],
		] as const
		const [output] = await run(sequential([3, 4, 2], layers, { layer_0: [kernel] }), [image])
		return output
	}

	it('Flatten runs row, column, channel', async () => {
		expectClose(await afterConv('Flatten', {}), { dims: [1, 60], values: features.values })
	})

	it('Flatten of channels_first moves the channels to the back first', async () => {
		const output = await runLayer('Flatten', { data_format: 'channels_first' }, transposed(image, toFirst))
		expectClose(output, { dims: [1, 24], values: image.values })
	})

	it('Reshape works out its -1', async () => {
		expectClose(await afterConv('Reshape', { target_shape: [10, -1] }), { dims: [1, 10, 6], values: features.values })
	})

	it('Permute counts axes from 1', async () => {
		expectClose(await afterConv('Permute', { dims: [3, 1, 2] }), transposed(features, toFirst))
	})

	it('Dense on a feature map works on its channels', async () => {
		const dense = numbers(5, 2)
		const layers = [
			['Conv2D', { filters: 5, kernel_size: 1, use_bias: false }],
			['Dense', { units: 2, use_bias: false }],
		] as const
		const [output] = await run(sequential([3, 4, 2], layers, { layer_0: [kernel], layer_1: [dense] }), [image])
		expectClose(output, conv2d(features, { dims: [1, 1, 5, 2], values: dense.values }), 1e-4)
	})

	it('ZeroPadding2D and Cropping2D undo each other', async () => {
		const borders = [
			[1, 2],
			[0, 3],
		]
		const padded = await runLayer('ZeroPadding2D', { padding: borders }, image)
		expect(padded.dims).toEqual([1, 6, 7, 2])
		expect(padded.values[ravel([0, 1, 0, 1], padded.dims)]).toBe(image.values[1])
		expectClose(await runLayer('Cropping2D', { cropping: borders }, padded), image)
	})

	it('UpSampling2D repeats pixels', async () => {
		const dims = [1, 6, 12, 2]
		const values = Array.from({ length: 144 }, (_, index) => {
			const [, y, x, c] = unravel(index, dims) as [number, number, number, number]
			return image.values[ravel([0, Math.floor(y / 2), Math.floor(x / 3), c], image.dims)] as number
		})
		expectClose(await runLayer('UpSampling2D', { size: [2, 3] }, image), { dims, values })
	})

	it('UpSampling2D bilinear has its pixel centres at half, as TensorFlow 2', async () => {
		const row = { dims: [1, 1, 2, 1], values: [1, 2] }
		const output = await runLayer('UpSampling2D', { size: [1, 2], interpolation: 'bilinear' }, row)
		expectClose(output, { dims: [1, 1, 4, 1], values: [1, 1.25, 1.75, 2] })
	})
})
