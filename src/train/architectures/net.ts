/** Nets put together layer by layer, in Keras' terms: each method adds one layer and returns what it makes. */
import type { ImageSize } from '../../data/image-set.ts'
import type { JsonObject } from '../../formats/keras/json.ts'
import { elementCount } from '../../graph/graph.ts'
import { type Fans, GLOROT_UNIFORM, HE_NORMAL, type Initializer, ONES, ZEROS } from './initializers.ts'

/** A weight before its first value. */
export interface WeightSpec {
	/** Keras' name for it: `kernel`, `bias`, `gamma`. */
	readonly role: string
	readonly dims: readonly number[]
	readonly initializer: Initializer
	readonly fans: Fans
}

/** A layer as `NewKerasLayer` has it, with weights yet to be drawn. */
export interface LayerSpec {
	readonly className: string
	readonly name: string
	readonly config: JsonObject
	readonly inputs: readonly string[]
	readonly weights: readonly WeightSpec[]
}

/** What a layer makes: a map `[H, W, C]` or a vector `[C]`, without the batch axis. */
export interface Feature {
	readonly layer: string
	readonly shape: readonly number[]
}

type Activation = 'linear' | 'relu' | 'softmax'
type Padding = 'same' | 'valid'

export interface ConvOptions {
	/** Rows and columns of the kernel; 3 by default. */
	readonly kernel?: number
	/** 1 by default. */
	readonly stride?: number
	/**
	 * `same`, the default: ceil(size / stride) results. At stride 2 TensorFlow pads even sizes at the bottom and on the right alone, where
	 * PyTorch's `padding=1` pads all around.
	 */
	readonly padding?: Padding
	/** Whether it has a bias; true by default, pointless before a batch normalization. */
	readonly bias?: boolean
	/** `linear` by default. */
	readonly activation?: Activation
	/** Of the kernel; `HE_NORMAL` by default, since a ReLU follows nearly every convolution. Biases begin at zero. */
	readonly initializer?: Initializer
}

export interface DenseOptions {
	/** `linear` by default. */
	readonly activation?: Activation
	/** Of the kernel; `GLOROT_UNIFORM` by default. Biases begin at zero. */
	readonly initializer?: Initializer
}

/** PyTorch's defaults, which the published figures of all these nets were made with; its `momentum` 0.1 is Keras' 0.9. */
const NORMALIZATION = { momentum: 0.9, epsilon: 1e-5 }

/** A window's settings as every Keras layer spells them. */
const LAST = { data_format: 'channels_last' }
const NO_EXTRAS = { bias_regularizer: null, activity_regularizer: null, bias_constraint: null }

/** Collects the layers of one net. Names are the caller's; two layers of one name make a file that nothing reads. */
export class Net {
	readonly layers: LayerSpec[] = []
	readonly input: Feature

	constructor({ height, width, channels }: ImageSize) {
		const shape = [height, width, channels]
		const config = { batch_input_shape: [null, ...shape], sparse: false }
		this.input = this.#add('InputLayer', 'input', [], config, shape)
	}

	/** A convolution with `filters` filters. */
	conv(x: Feature, name: string, filters: number, options: ConvOptions = {}): Feature {
		const { kernel = 3, bias = true, activation = 'linear', initializer = HE_NORMAL } = options
		const [, , channels] = mapShape(x)
		const config = {
			filters,
			...windowConfig(options),
			dilation_rate: [1, 1],
			activation,
			use_bias: bias,
			kernel_initializer: initializer.config,
			bias_initializer: ZEROS.config,
			kernel_regularizer: null,
			kernel_constraint: null,
			...NO_EXTRAS,
		}
		const fans = { in: kernel * kernel * channels, out: kernel * kernel * filters }
		const weights = [
			{ role: 'kernel', dims: [kernel, kernel, channels, filters], initializer, fans },
			...(bias ? [{ role: 'bias', dims: [filters], initializer: ZEROS, fans }] : []),
		]
		return this.#add('Conv2D', name, [x], config, slide(x, options, filters), weights)
	}

	/** One filter a channel, without bias. Its fan-in is that of one filter; Keras would count all channels. */
	depthwise(x: Feature, name: string, options: Pick<ConvOptions, 'kernel' | 'stride'> = {}): Feature {
		const { kernel = 3 } = options
		const [, , channels] = mapShape(x)
		const config = {
			...windowConfig(options),
			depth_multiplier: 1,
			activation: 'linear',
			use_bias: false,
			depthwise_initializer: HE_NORMAL.config,
			bias_initializer: ZEROS.config,
			depthwise_regularizer: null,
			depthwise_constraint: null,
			...NO_EXTRAS,
		}
		const fans = { in: kernel * kernel, out: kernel * kernel }
		const dims = [kernel, kernel, channels, 1]
		const weights = [{ role: 'depthwise_kernel', dims, initializer: HE_NORMAL, fans }]
		return this.#add('DepthwiseConv2D', name, [x], config, slide(x, options, channels), weights)
	}

	/** Batch normalization over the channels. */
	norm(x: Feature, name: string): Feature {
		const config = {
			axis: -1,
			...NORMALIZATION,
			center: true,
			scale: true,
			beta_initializer: ZEROS.config,
			gamma_initializer: ONES.config,
			moving_mean_initializer: ZEROS.config,
			moving_variance_initializer: ONES.config,
			beta_regularizer: null,
			gamma_regularizer: null,
			beta_constraint: null,
			gamma_constraint: null,
		}
		const dims = x.shape.slice(-1)
		const begins = { gamma: ONES, beta: ZEROS, moving_mean: ZEROS, moving_variance: ONES }
		const weights = Object.entries(begins).map(([role, initializer]) => ({
			role,
			dims,
			initializer,
			fans: { in: 1, out: 1 },
		}))
		return this.#add('BatchNormalization', name, [x], config, x.shape, weights)
	}

	relu(x: Feature, name: string): Feature {
		return this.#add('Activation', name, [x], { activation: 'relu' }, x.shape)
	}

	/** `min(max(x, 0), 6)`. */
	relu6(x: Feature, name: string): Feature {
		return this.#add('ReLU', name, [x], { max_value: 6, negative_slope: 0, threshold: 0 }, x.shape)
	}

	/** The largest of each 2×2 window, stride 2; an odd last row or column is left out. */
	maxPool(x: Feature, name: string): Feature {
		return this.#pool('MaxPooling2D', x, name)
	}

	/** The mean of each 2×2 window, stride 2; an odd last row or column is left out. */
	averagePool(x: Feature, name: string): Feature {
		return this.#pool('AveragePooling2D', x, name)
	}

	/** The mean of each channel: a vector. */
	globalPool(x: Feature, name: string): Feature {
		return this.#add('GlobalAveragePooling2D', name, [x], LAST, x.shape.slice(-1))
	}

	/** A map as a vector, in the order row, column, channel. */
	flatten(x: Feature, name: string): Feature {
		return this.#add('Flatten', name, [x], LAST, [elementCount(x.shape)])
	}

	/** A dense layer on a vector. */
	dense(x: Feature, name: string, units: number, options: DenseOptions = {}): Feature {
		const { activation = 'linear', initializer = GLOROT_UNIFORM } = options
		const [size] = x.shape as [number]
		const config = {
			units,
			activation,
			use_bias: true,
			kernel_initializer: initializer.config,
			bias_initializer: ZEROS.config,
			kernel_regularizer: null,
			kernel_constraint: null,
			...NO_EXTRAS,
		}
		const fans = { in: size, out: units }
		const weights = [
			{ role: 'kernel', dims: [size, units], initializer, fans },
			{ role: 'bias', dims: [units], initializer: ZEROS, fans },
		]
		return this.#add('Dense', name, [x], config, [units], weights)
	}

	/** The sum of two features of one shape. */
	add(a: Feature, b: Feature, name: string): Feature {
		return this.#add('Add', name, [a, b], {}, a.shape)
	}

	#pool(className: string, x: Feature, name: string): Feature {
		const config = { pool_size: [2, 2], padding: 'valid', strides: [2, 2], ...LAST }
		const [, , channels] = mapShape(x)
		return this.#add(className, name, [x], config, slide(x, { kernel: 2, stride: 2, padding: 'valid' }, channels))
	}

	#add(
		className: string,
		name: string,
		inputs: readonly Feature[],
		config: JsonObject,
		shape: readonly number[],
		weights: readonly WeightSpec[] = [],
	): Feature {
		this.layers.push({ className, name, config, inputs: inputs.map(({ layer }) => layer), weights })
		return { layer: name, shape }
	}
}

type Window = Pick<ConvOptions, 'kernel' | 'stride' | 'padding'>

function windowConfig({ kernel = 3, stride = 1, padding = 'same' }: Window): JsonObject {
	return { kernel_size: [kernel, kernel], strides: [stride, stride], padding, ...LAST }
}

/** The map that a window makes of `x`, as Keras sizes it. */
function slide(x: Feature, { kernel = 3, stride = 1, padding = 'same' }: Window, channels: number): number[] {
	const sizeOf = (size: number) => Math.ceil((padding === 'same' ? size : size - kernel + 1) / stride)
	const [height, width] = mapShape(x)
	return [sizeOf(height), sizeOf(width), channels]
}

/** The shape of a map; the methods that ask are given maps alone. */
function mapShape({ shape }: Feature): [number, number, number] {
	return shape as [number, number, number]
}
