/** Parts that the architectures are built from: one method a layer, in the spelling that an exporter would choose. */
import {
	elementCount,
	floatsOf,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Node,
	type Tensor,
} from '../../../src/graph/graph.ts'
import { randomValues, wrapGraph } from '../networks.ts'

/** How exporters write the same layer. The nets compute the same whatever is chosen here. */
export interface Forms {
	/** Batch normalization behind a convolution: a node of its own, or folded into kernel and bias. */
	readonly normalization: 'node' | 'folded'
	readonly globalPool: 'GlobalAveragePool' | 'ReduceMean'
	readonly flatten: 'Flatten' | 'Reshape'
	/** `Gemm` as PyTorch writes it (transB = 1), or `MatMul` and `Add` as Keras and tf2onnx do. */
	readonly dense: 'Gemm' | 'MatMul'
	/** ReLU6 as `Clip` with constant bounds, or as `Relu` and `Min`. */
	readonly relu6: 'Clip' | 'Min'
}

export const TORCH_FORMS: Forms = {
	normalization: 'node',
	globalPool: 'GlobalAveragePool',
	flatten: 'Flatten',
	dense: 'Gemm',
	relu6: 'Clip',
}

/** The other spelling of everything. */
export const OTHER_FORMS: Forms = {
	normalization: 'folded',
	globalPool: 'ReduceMean',
	flatten: 'Reshape',
	dense: 'MatMul',
	relu6: 'Min',
}

/** What every builder takes, each with a default that keeps tests fast or, where it says so, the published net's. */
export interface ArchitectureOptions {
	/** Height and width of the images; 32 by default. */
	readonly size?: number
	/** 10 by default. */
	readonly classes?: number
	/** Seed of the weights. */
	readonly seed?: number
	readonly forms?: Partial<Forms>
}

/** A map `[N, channels, size, size]`, or a vector `[N, channels]` with size 0. */
export interface Feature {
	readonly value: string
	readonly channels: number
	readonly size: number
}

export interface ConvOptions {
	readonly kernel?: number
	readonly stride?: number
	readonly group?: number
	/** Has a bias of its own; false where batch normalization follows. */
	readonly bias?: boolean
	/** Factor on the weights' usual scale: residual branches are kept small, so that sums of many do not grow. */
	readonly gain?: number
}

const EPSILON = 1e-5

/** Collects nodes and seeded weights. Kernels are scaled as He et al. 2015 (arXiv:1502.01852) do, so that signals keep their size. */
export class NetBuilder {
	readonly nodes: Node[] = []
	readonly constants = new Map<string, Tensor>()
	readonly forms: Forms
	readonly #random: () => number
	readonly #size: number
	readonly #classes: number

	constructor({ size = 32, classes = 10, seed = 1, forms }: ArchitectureOptions = {}) {
		this.forms = { ...TORCH_FORMS, ...forms }
		this.#random = randomValues(seed)
		this.#size = size
		this.#classes = classes
	}

	/** The image, three colours. */
	get input(): Feature {
		return { value: 'x', channels: 3, size: this.#size }
	}

	/** Adds a node that writes the value called `name`. */
	node(op: string, inputs: readonly string[], name: string, attributes: Parameters<typeof makeNode>[3] = {}): string {
		this.nodes.push(makeNode(op, inputs, [name], attributes))
		return name
	}

	/** Adds a constant of uniform numbers in `center − spread … center + spread`. */
	uniform(name: string, dims: readonly number[], spread: number, center = 0): string {
		const values = Float32Array.from({ length: elementCount(dims) }, () => center + spread * this.#random())
		this.constants.set(name, floatTensor(dims, values))
		return name
	}

	/** Adds a constant of given integers. */
	ints(name: string, values: readonly number[]): string {
		this.constants.set(name, intTensor(values))
		return name
	}

	conv(x: Feature, name: string, channels: number, options: ConvOptions = {}): Feature {
		const { kernel = 3, stride = 1, group = 1, bias = false, gain = 1 } = options
		const dims = [channels, x.channels / group, kernel, kernel]
		const inputs = [x.value, this.uniform(`${name}.weight`, dims, heSpread(dims) * gain)]
		if (bias) inputs.push(this.uniform(`${name}.bias`, [channels], 0.2))
		const pad = Math.floor((kernel - 1) / 2)
		const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], group }
		return { value: this.node('Conv', inputs, name, attributes), channels, size: Math.floor((x.size - 1) / stride) + 1 }
	}

	/** Batch normalization as a node, wherever it stands. */
	batchNorm(x: Feature, name: string): Feature {
		const statistics = this.#statistics(name, x.channels)
		return {
			...x,
			value: this.node('BatchNormalization', [x.value, ...statistics], name, { epsilon: { float: EPSILON } }),
		}
	}

	/** A convolution and the batch normalization behind it, folded where `forms` say so. */
	convNorm(x: Feature, name: string, channels: number, options: ConvOptions = {}): Feature {
		const y = this.conv(x, `${name}.conv`, channels, options)
		if (this.forms.normalization === 'node') return this.batchNorm(y, `${name}.bn`)
		this.#fold(`${name}.conv`, this.#statistics(`${name}.bn`, channels))
		return y
	}

	relu(x: Feature): Feature {
		return this.apply('Relu', x)
	}

	relu6(x: Feature): Feature {
		this.constants.set('zero', floatTensor([], [0])).set('six', floatTensor([], [6]))
		if (this.forms.relu6 === 'Clip')
			return { ...x, value: this.node('Clip', [x.value, 'zero', 'six'], `${x.value}.relu6`) }
		return { ...x, value: this.node('Min', [this.relu(x).value, 'six'], `${x.value}.relu6`) }
	}

	/** An activation without parameters. */
	apply(op: string, x: Feature): Feature {
		return { ...x, value: this.node(op, [x.value], `${x.value}.${op.toLowerCase()}`) }
	}

	add(a: Feature, b: Feature, name: string): Feature {
		return { ...a, value: this.node('Add', [a.value, b.value], name) }
	}

	concat(parts: readonly Feature[], name: string): Feature {
		const inputs = parts.map(({ value }) => value)
		const channels = parts.reduce((sum, part) => sum + part.channels, 0)
		return { ...parts[0]!, channels, value: this.node('Concat', inputs, name, { axis: 1 }) }
	}

	/** 2×2 pooling with stride 2. */
	pool(x: Feature, name: string, op: 'MaxPool' | 'AveragePool' = 'MaxPool'): Feature {
		const value = this.node(op, [x.value], name, { kernel_shape: [2, 2], strides: [2, 2] })
		return { ...x, value, size: Math.floor(x.size / 2) }
	}

	/** The mean of each channel, kept as a 1×1 map. */
	globalPool(x: Feature, name: string): Feature {
		const value =
			this.forms.globalPool === 'GlobalAveragePool'
				? this.node('GlobalAveragePool', [x.value], name)
				: this.node('ReduceMean', [x.value], name, { axes: [2, 3], keepdims: 1 })
		return { ...x, value, size: 1 }
	}

	flatten(x: Feature, name: string): Feature {
		const channels = x.channels * x.size * x.size
		const value =
			this.forms.flatten === 'Flatten'
				? this.node('Flatten', [x.value], name, { axis: 1 })
				: this.node('Reshape', [x.value, this.ints(`${name}.shape`, [-1, channels])], name)
		return { value, channels, size: 0 }
	}

	/** A dense layer on vectors. */
	dense(x: Feature, name: string, channels: number): Feature {
		const bias = this.uniform(`${name}.bias`, [channels], 0.2)
		const kernel = this.uniform(`${name}.weight`, [channels, x.channels], Math.sqrt(6 / x.channels))
		if (this.forms.dense === 'Gemm') {
			return { value: this.node('Gemm', [x.value, kernel, bias], name, { transB: 1 }), channels, size: 0 }
		}
		this.constants.set(kernel, transpose(this.constants.get(kernel)!))
		const product = this.node('MatMul', [x.value, kernel], `${name}.product`)
		return { value: this.node('Add', [product, bias], name), channels, size: 0 }
	}

	/** The closing dense layer, whose value is the graph's output; then the whole graph. */
	classify(x: Feature): Graph {
		this.dense(x, 'output', this.#classes)
		const graph = wrapGraph(this.nodes, this.constants, ['N', 3, this.#size, this.#size], ['N', this.#classes])
		// 17 brought LayerNormalization, and still has the axes of ReduceMean as an attribute.
		return { ...graph, opsets: new Map([['', 17]]) }
	}

	#statistics(name: string, channels: number): string[] {
		return [
			this.uniform(`${name}.weight`, [channels], 0.4, 1),
			this.uniform(`${name}.bias`, [channels], 0.3),
			this.uniform(`${name}.running_mean`, [channels], 0.3),
			this.uniform(`${name}.running_var`, [channels], 0.5, 1),
		]
	}

	/** Folds normalization into the convolution before it: `kernel · s` and `shift − mean · s`, with `s = scale / √(var + ε)`. */
	#fold(name: string, statistics: readonly string[]): void {
		const [scale, shift, mean, variance] = statistics.map((each) => floatsOf(this.constants.get(each)!)) as [
			Float32Array,
			Float32Array,
			Float32Array,
			Float32Array,
		]
		const kernel = this.constants.get(`${name}.weight`)!
		const factors = scale.map((value, c) => value / Math.sqrt(variance[c]! + EPSILON))
		const perChannel = elementCount(kernel.dims) / factors.length
		const folded = floatsOf(kernel).map((value, i) => value * factors[Math.floor(i / perChannel)]!)
		this.constants.set(`${name}.weight`, floatTensor(kernel.dims, folded))
		this.constants.set(
			`${name}.bias`,
			floatTensor(
				[factors.length],
				shift.map((value, c) => value - mean[c]! * factors[c]!),
			),
		)
		for (const each of statistics) this.constants.delete(each)
		const node = this.nodes.pop()!
		this.nodes.push({ ...node, inputs: [...node.inputs, `${name}.bias`] })
	}
}

/** Uniform numbers of this spread have variance `2 / fan-in`, which a ReLU halves again. */
function heSpread([, ...rest]: readonly number[]): number {
	return Math.sqrt(6 / elementCount(rest))
}

function transpose(matrix: Tensor): Tensor {
	const [rows = 0, columns = 0] = matrix.dims
	const values = floatsOf(matrix)
	const turned = values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
	return floatTensor([columns, rows], turned)
}
