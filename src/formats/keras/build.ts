/** Puts an ONNX graph together, node by node, and keeps track of which layout (NHWC as in Keras, or NCHW) each value is in. */
import { UnsupportedError } from '../../errors.ts'
import {
	type AttributeValue,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Node,
	type Tensor,
	type Value,
} from '../../graph/graph.ts'
import type { Size } from './architecture.ts'
import { storedIndices } from './origin.ts'
import type { DataFormat } from './settings.ts'
import type { Weight } from './weights.ts'

/** A value on its way through the model. */
export interface Flow {
	readonly name: string
	/** As Keras sees it, without the batch dimension. */
	readonly shape: readonly Size[]
	/** `nchw`: Keras sees `[N, H, W, C]`, the ONNX value is `[N, C, H, W]`. `keras`: both are the same. */
	readonly layout: 'keras' | 'nchw'
}

/** A value of three dimensions as the image operators of ONNX want it. */
export interface Image {
	readonly name: string
	readonly channels: Size
	readonly height: Size
	readonly width: Size
	/** The flow of a result `[N, channels, height, width]`, in the data format of this image. */
	readonly flow: (name: string, channels: Size, height: Size, width: Size) => Flow
}

/** How a stored weight becomes a tensor: reshape, then transpose; neither where omitted. */
interface Placement {
	readonly reshape?: readonly number[]
	readonly perm?: readonly number[]
}

/** The ONNX operator set of all graphs made here, and the file version that belongs to it. */
const OPSET = 17
const IR_VERSION = 8

export class GraphBuilder {
	readonly #nodes: Node[] = []
	readonly #inputs: Value[] = []
	readonly #initializers = new Map<string, Tensor>()
	readonly #values = new Map<string, Value>()
	readonly #nodeNames = new Set<string>()
	readonly #turned = new Map<string, Flow>()

	/** `reserved` are names that no helper value may take: those of the model's layers. */
	readonly #reserved: ReadonlySet<string>

	constructor(reserved: Iterable<string>) {
		this.#reserved = new Set(reserved)
	}

	input(name: string, shape: readonly Size[]): Flow {
		this.#inputs.push({ name, dtype: 'float32', shape: ['N', ...shape] })
		return { name, shape, layout: 'keras' }
	}

	/** Adds a node with one output, `flow`, and returns it. The node is called `nodeName`, or as its output. */
	emit(
		op: string,
		inputs: readonly string[],
		flow: Flow,
		attributes: Readonly<Record<string, AttributeValue>> = {},
		nodeName = flow.name,
	): Flow {
		const name = firstFree(nodeName, (candidate) => this.#nodeNames.has(candidate))
		this.#nodeNames.add(name)
		this.#nodes.push({ ...makeNode(op, inputs, [flow.name], attributes), name })
		this.#values.set(flow.name, { name: flow.name, dtype: 'float32', shape: ['N', ...storedShape(flow)] })
		return flow
	}

	/** A name for a helper value that is not taken yet: `wanted`, or with a number. */
	helper(wanted: string): string {
		return firstFree(
			wanted,
			(name) => this.#reserved.has(name) || this.#values.has(name) || this.#initializers.has(name),
		)
	}

	/** A constant of shape `[]`. */
	scalar(value: number): string {
		const name = `constant/${value}`
		this.#initializers.set(name, floatTensor([], [value]))
		return name
	}

	/** A constant computed here, such as the scale of a batch normalisation that stores none. */
	constant(wanted: string, tensor: Tensor): string {
		const name = this.helper(wanted)
		this.#initializers.set(name, tensor)
		return name
	}

	/** Whole numbers as an operand: pads, shapes, axes. */
	integers(wanted: string, values: readonly number[]): string {
		return this.constant(wanted, intTensor(values))
	}

	/** A stored weight as initializer `name`, with its origin. A shared layer asks again and gets the same one. */
	weight(name: string, weight: Weight, placement: Placement = {}): string {
		const known = this.#initializers.get(name)
		if (known?.origin?.dataset === weight.dataset) return name
		const reshape = placement.reshape ?? weight.dims
		const perm = placement.perm ?? reshape.map((_, axis) => axis)
		const indices = storedIndices(reshape, perm)
		const values = indices ? gather(weight.values, indices) : weight.values
		const dims = perm.map((axis) => reshape[axis] as number)
		const free = this.helper(name)
		this.#initializers.set(free, floatTensor(dims, values, { dataset: weight.dataset, reshape, perm }))
		return free
	}

	/** `flow` as an image; a flow of another rank is refused. */
	image(flow: Flow, dataFormat: DataFormat, layer: string): Image {
		if (flow.shape.length !== 3) {
			throw new UnsupportedError(
				'unsupported-layer',
				`layer ${layer}: expected an image, found shape [${flow.shape.join(', ')}]`,
				{ layer },
			)
		}
		if (dataFormat === 'channels_first') return channelsFirst(this.asKeras(flow))
		return channelsLast(this.asNchw(flow))
	}

	/** `flow` (three dimensions) with its channels moved to the front. One Transpose per value, however often it is asked for. */
	asNchw(flow: Flow): Flow {
		if (flow.layout === 'nchw') return flow
		return this.#turn(flow, { ...flow, layout: 'nchw', name: `${flow.name}/nchw` }, [0, 3, 1, 2])
	}

	/** `flow` as Keras has it in memory. */
	asKeras(flow: Flow): Flow {
		if (flow.layout === 'keras') return flow
		return this.#turn(flow, { ...flow, layout: 'keras', name: `${flow.name}/nhwc` }, [0, 2, 3, 1])
	}

	#turn(from: Flow, to: Flow, perm: readonly number[]): Flow {
		const known = this.#turned.get(from.name)
		if (known) return known
		const turned = this.emit('Transpose', [from.name], { ...to, name: this.helper(to.name) }, { perm })
		this.#turned.set(from.name, turned)
		this.#turned.set(turned.name, from)
		return turned
	}

	/** The finished graph. Each output gets the name of its flow, in the layout that Keras gives it. */
	finish(name: string, outputs: readonly Flow[], kerasMajor: number): Graph {
		const values = outputs.map((flow) => this.#output(flow))
		return {
			name,
			nodes: this.#nodes,
			inputs: this.#inputs,
			outputs: values,
			initializers: this.#initializers,
			valueInfo: [...this.#values.values()].filter((value) => !values.some((output) => output.name === value.name)),
			irVersion: IR_VERSION,
			opsets: new Map([['', OPSET]]),
			metadata: new Map(),
			producerName: 'goodnet',
			producerVersion: `keras ${kerasMajor}`,
		}
	}

	#output(flow: Flow): Value {
		if (this.#inputs.some((input) => input.name === flow.name)) {
			this.emit('Identity', [flow.name], { ...flow, name: this.helper(`${flow.name}/output`) })
			return this.#lastValue()
		}
		if (flow.layout === 'nchw') {
			const inner = this.helper(`${flow.name}/nchw`)
			this.#rename(flow.name, inner)
			this.emit('Transpose', [inner], { ...flow, layout: 'keras' }, { perm: [0, 2, 3, 1] }, `${flow.name}/nhwc`)
		}
		return this.#values.get(flow.name) as Value
	}

	#lastValue(): Value {
		return [...this.#values.values()].at(-1) as Value
	}

	#rename(from: string, to: string): void {
		const swap = (names: readonly string[]) => names.map((name) => (name === from ? to : name))
		const renamed = this.#nodes.map((node) => ({ ...node, inputs: swap(node.inputs), outputs: swap(node.outputs) }))
		this.#nodes.splice(0, renamed.length, ...renamed)
		this.#values.set(to, { ...(this.#values.get(from) as Value), name: to })
	}
}

/** The shape of the ONNX value, without the batch dimension. */
function storedShape({ shape, layout }: Flow): readonly Size[] {
	const [height, width, channels] = shape as [Size, Size, Size]
	return layout === 'nchw' ? [channels, height, width] : shape
}

function channelsLast(flow: Flow): Image {
	const [height, width, channels] = flow.shape as [Size, Size, Size]
	const result = (name: string, c: Size, h: Size, w: Size): Flow => ({ name, shape: [h, w, c], layout: 'nchw' })
	return { name: flow.name, channels, height, width, flow: result }
}

function channelsFirst(flow: Flow): Image {
	const [channels, height, width] = flow.shape as [Size, Size, Size]
	const result = (name: string, c: Size, h: Size, w: Size): Flow => ({ name, shape: [c, h, w], layout: 'keras' })
	return { name: flow.name, channels, height, width, flow: result }
}

/** `values[indices[i]]`, by a plain loop: three times as fast as a callback, and large nets spend their loading time here. */
function gather(values: Float32Array, indices: Uint32Array): Float32Array {
	const gathered = new Float32Array(indices.length)
	for (let i = 0; i < gathered.length; i++) gathered[i] = values[indices[i] as number] as number
	return gathered
}

function firstFree(wanted: string, isTaken: (name: string) => boolean): string {
	if (!isTaken(wanted)) return wanted
	let number = 2
	while (isTaken(`${wanted}_${number}`)) number += 1
	return `${wanted}_${number}`
}
