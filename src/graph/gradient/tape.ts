/** Where gradient rules write: new nodes and constants with fresh names, beside the graph that is differentiated. */
import { UnsupportedError } from '../../errors.ts'
import {
	type AttributeValue,
	DTYPES,
	type DType,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Node,
	nodeName,
	type Tensor,
	type Value,
} from '../graph.ts'
import { constantOf, freshName, valueNames, writersOf } from '../query.ts'

export type Shape = readonly number[]

export class Tape {
	readonly nodes: Node[] = []
	readonly initializers = new Map<string, Tensor>()
	readonly #graph: Graph
	readonly #prefix: string
	readonly #values: ReadonlyMap<string, Value>
	readonly #writers: ReadonlyMap<string, Node>
	readonly #taken: Set<string>
	readonly #opset: number

	/** @param prefix what names of new values begin with */
	constructor(graph: Graph, prefix = 'grad') {
		this.#prefix = prefix
		this.#graph = graph
		this.#values = new Map([...graph.valueInfo, ...graph.inputs, ...graph.outputs].map((value) => [value.name, value]))
		this.#writers = writersOf(graph)
		this.#taken = valueNames(graph)
		this.#opset = graph.opsets.get('') ?? 1
	}

	/**
	 * The shape of a value of the graph.
	 * @throws UnsupportedError `shape-unknown` where neither the graph's `valueInfo` nor a constant tells it in numbers
	 */
	shapeOf(name: string): Shape {
		const tensor = this.#graph.initializers.get(name) ?? this.constantOf(name)
		const shape = tensor?.dims ?? this.#values.get(name)?.shape
		if (shape?.every((dim) => typeof dim === 'number')) return shape as Shape
		throw new UnsupportedError(
			'shape-unknown',
			`the shape of ${name} must be known in numbers to differentiate: infer shapes for a fixed batch first`,
			{ layer: name },
		)
	}

	/** The element type of a value of the graph; `undefined` (ONNX' word) where nothing tells it. */
	dtypeOf(name: string): DType {
		return (this.#graph.initializers.get(name) ?? this.constantOf(name) ?? this.#values.get(name))?.dtype ?? 'undefined'
	}

	/** The constant called `name` in the graph, or undefined for a value that is computed or fed. */
	constantOf(name: string | undefined): Tensor | undefined {
		return name ? constantOf(this.#graph, name, this.#writers) : undefined
	}

	/** Adds a node and returns its only output. */
	emit(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
		return this.emitMany(op, inputs, 1, attributes)[0]!
	}

	/** Adds a node with `count` outputs and returns them. */
	emitMany(
		op: string,
		inputs: readonly string[],
		count: number,
		attributes: Readonly<Record<string, AttributeValue>> = {},
	): string[] {
		const outputs = Array.from({ length: count }, () => this.#fresh(`${this.#prefix}/${op}`))
		this.nodes.push(makeNode(op, inputs, outputs, attributes))
		return outputs
	}

	/** Adds the very node `node` again (same operator and attributes) on other inputs, and returns its only output. */
	again(node: Node, inputs: readonly string[]): string {
		return this.againMany(node, inputs, 1)[0]!
	}

	/** The same with its first `count` outputs. */
	againMany(node: Node, inputs: readonly string[], count: number): string[] {
		const outputs = Array.from({ length: count }, () => this.#fresh(`${this.#prefix}/${nodeName(node)}`))
		this.nodes.push({ ...node, name: outputs[0]!, inputs, outputs })
		return outputs
	}

	constant(tensor: Tensor): string {
		const name = this.#fresh(`${this.#prefix}/constant`)
		this.initializers.set(name, tensor)
		return name
	}

	/** A float32 constant of shape `[]`. */
	scalar(value: number): string {
		return this.constant(floatTensor([], [value]))
	}

	/** An int64 constant of one axis: shapes, axes, pads, repeats. */
	integers(values: readonly number[]): string {
		return this.constant(intTensor(values))
	}

	/** Float32 zeros, made while the graph runs, so that the file does not carry them. */
	zeros(shape: Shape): string {
		return this.emit('ConstantOfShape', [this.integers(shape)])
	}

	cast(name: string, dtype: DType): string {
		return this.emit('Cast', [name], { to: DTYPES.indexOf(dtype) })
	}

	reshape(name: string, shape: Shape): string {
		return this.emit('Reshape', [name, this.integers(shape)])
	}

	/** `op` is ReduceSum, ReduceMean or ReduceMax …; where its axes stand depends on the operator and the opset. */
	reduce(op: string, name: string, axes: readonly number[], keepdims: boolean): string {
		const flag = { keepdims: keepdims ? 1 : 0 }
		const isOperand = this.#opset >= (op === 'ReduceSum' ? 13 : 18)
		return isOperand ? this.emit(op, [name, this.integers(axes)], flag) : this.emit(op, [name], { ...flag, axes })
	}

	/**
	 * Undoes broadcasting: sums `name`, of shape `from`, over the axes along which a value of shape `to` was repeated. The gradient of
	 * every operator that broadcasts goes through here.
	 */
	sumTo(name: string, from: Shape, to: Shape): string {
		const missing = from.length - to.length
		const axes = from.flatMap((dim, axis) => (axis < missing || (to[axis - missing] === 1 && dim !== 1) ? [axis] : []))
		if (axes.length === 0) return name
		const summed = this.reduce('ReduceSum', name, axes, true)
		return missing > 0 ? this.reshape(summed, to) : summed
	}

	/** The graph that was written beside, with everything on the tape behind it. */
	appended(): Graph {
		return {
			...this.#graph,
			nodes: [...this.#graph.nodes, ...this.nodes],
			initializers: new Map([...this.#graph.initializers, ...this.initializers]),
		}
	}

	/** Gives the value `name` of this tape the name `wish`, or one close to it that is free. */
	alias(name: string, wish: string): string {
		const output = this.#fresh(wish)
		this.nodes.push(makeNode('Identity', [name], [output]))
		return output
	}

	#fresh(wish: string): string {
		const name = freshName(this.#taken, wish)
		this.#taken.add(name)
		return name
	}
}
