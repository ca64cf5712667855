/**
 * The model as plain data: an ONNX graph. Everything that goodnet does to a model is a function from `Graph` to `Graph`, and nothing
 * here is ever modified in place: an edit returns a new object that shares what it did not change. Code may therefore compare by
 * reference to ask "is this still the same node, the same tensor?".
 */

/** Element types of tensors, in ONNX' own words; the index is `TensorProto.DataType`. */
export const DTYPES = [
	'undefined',
	'float32',
	'uint8',
	'int8',
	'uint16',
	'int16',
	'int32',
	'int64',
	'string',
	'bool',
	'float16',
	'float64',
	'uint32',
	'uint64',
	'complex64',
	'complex128',
	'bfloat16',
	'float8e4m3fn',
	'float8e4m3fnuz',
	'float8e5m2',
	'float8e5m2fnuz',
	'uint4',
	'int4',
	'float4e2m1',
] as const

export type DType = (typeof DTYPES)[number]

/** A dimension: a number, a symbol (`"N"`), or unknown. */
export type Dim = number | string | null

/** Where a tensor stands in the file it was read from, so that a repair can be written back there. */
export interface TensorOrigin {
	/** Path of the HDF5 dataset inside the file, e.g. `/model_weights/conv_3/conv_3/kernel:0`. */
	readonly dataset: string
	/**
	 * How the stored array became ours. The stored array was reshaped to `reshape` (same order of elements), then transposed:
	 * `dims[i] = reshape[perm[i]]`, as in numpy's `transpose(perm)`.
	 */
	readonly reshape: readonly number[]
	readonly perm: readonly number[]
}

/** A constant array. `bytes` is little-endian and row-major; for dtype `string` it is empty and the values stay in `residue`. */
export interface Tensor {
	readonly dtype: DType
	readonly dims: readonly number[]
	readonly bytes: Uint8Array
	readonly origin?: TensorOrigin
	/** Encoded fields of the `TensorProto` that have no place above (doc string, external data, strings). */
	readonly residue?: Uint8Array
}

/** A named input, output or intermediate. `shape` is null where the file does not say. */
export interface Value {
	readonly name: string
	readonly dtype: DType
	readonly shape: readonly Dim[] | null
	/** Encoded fields of the `ValueInfoProto` that have no place above (doc string, a type that is not a tensor). */
	readonly residue?: Uint8Array
}

/** An attribute of a node. Integers stay `bigint`: exporters write INT64_MAX for "to the end". */
export type Attribute =
	| { readonly type: 'float'; readonly value: number }
	| { readonly type: 'int'; readonly value: bigint }
	| { readonly type: 'string'; readonly value: string }
	| { readonly type: 'tensor'; readonly value: Tensor }
	| { readonly type: 'floats'; readonly value: readonly number[] }
	| { readonly type: 'ints'; readonly value: readonly bigint[] }
	| { readonly type: 'strings'; readonly value: readonly string[] }
	/** Anything else (sub-graphs, sparse tensors, types), kept encoded as it came. */
	| { readonly type: 'opaque'; readonly value: Uint8Array }

/** One operation. An empty string among `inputs` or `outputs` is an omitted optional one, as in ONNX. */
export interface Node {
	readonly name: string
	readonly op: string
	/** Operator domain, `''` for ONNX' own. */
	readonly domain: string
	readonly inputs: readonly string[]
	readonly outputs: readonly string[]
	readonly attributes: Readonly<Record<string, Attribute>>
	/** Encoded fields of the `NodeProto` that have no place above. */
	readonly residue?: Uint8Array
}

/** A model. `nodes` are in topological order, as ONNX demands; `inputs` never lists initializers. */
export interface Graph {
	readonly name: string
	readonly nodes: readonly Node[]
	readonly inputs: readonly Value[]
	readonly outputs: readonly Value[]
	readonly initializers: ReadonlyMap<string, Tensor>
	/** Shapes and types of intermediates, where the file tells them. */
	readonly valueInfo: readonly Value[]
	readonly irVersion: number
	/** Domain → version; `''` is ONNX' own. */
	readonly opsets: ReadonlyMap<string, number>
	readonly metadata: ReadonlyMap<string, string>
	readonly producerName: string
	readonly producerVersion: string
	/** Encoded fields of `ModelProto` and `GraphProto` that have no place above. */
	readonly residue?: { readonly model: Uint8Array; readonly graph: Uint8Array }
}

/** Bytes per element; 0 for types that goodnet only passes through (strings, complex, sub-byte). */
export function bytesPerElement(dtype: DType): number {
	switch (dtype) {
		case 'uint8':
		case 'int8':
		case 'bool':
			return 1
		case 'uint16':
		case 'int16':
		case 'float16':
		case 'bfloat16':
			return 2
		case 'float32':
		case 'int32':
		case 'uint32':
			return 4
		case 'float64':
		case 'int64':
		case 'uint64':
			return 8
		default:
			return 0
	}
}

/** The number of elements of an array of shape `dims`; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
	return dims.reduce((product, dim) => product * dim, 1)
}

/** A float32 tensor over `values` (shared, not copied, where it already is a `Float32Array`). */
export function floatTensor(
	dims: readonly number[],
	values: Float32Array | readonly number[],
	origin?: TensorOrigin,
): Tensor {
	const array = values instanceof Float32Array ? values : Float32Array.from(values)
	const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
	return { dtype: 'float32', dims, bytes, ...(origin && { origin }) }
}

/** A one-dimensional int64 tensor, as shape operands are. */
export function intTensor(values: readonly number[]): Tensor {
	return { dtype: 'int64', dims: [values.length], bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) }
}

/** The values of a float32 tensor; a view where the bytes are aligned, else a copy. Do not write to it. */
export function floatsOf(tensor: Tensor): Float32Array {
	if (tensor.dtype !== 'float32') throw new TypeError(`expected a float32 tensor, found ${tensor.dtype}`)
	const { bytes } = tensor
	const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
	return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

/** The values of an integer tensor (int64 or int32) as numbers; INT64_MAX and the like are clamped to safe integers. */
export function intsOf(tensor: Tensor): number[] {
	const copy = tensor.bytes.slice().buffer
	if (tensor.dtype === 'int32') return [...new Int32Array(copy)]
	if (tensor.dtype !== 'int64') throw new TypeError(`expected an int64 tensor, found ${tensor.dtype}`)
	return [...new BigInt64Array(copy)].map(toSafeInteger)
}

/** A node without name or domain, for graphs built in code. Plain values become attributes: see `toAttribute`. */
export function makeNode(
	op: string,
	inputs: readonly string[],
	outputs: readonly string[],
	attributes: Readonly<Record<string, AttributeValue>> = {},
): Node {
	const typed = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)]))
	return { name: outputs[0] ?? op, op, domain: '', inputs, outputs, attributes: typed }
}

/** What `makeNode` takes: `{ float }` for floats, bare numbers and number arrays for integers. */
export type AttributeValue = number | readonly number[] | string | { readonly float: number } | Tensor

function toAttribute(value: AttributeValue): Attribute {
	if (typeof value === 'number') return { type: 'int', value: BigInt(value) }
	if (typeof value === 'string') return { type: 'string', value }
	if (Array.isArray(value)) return { type: 'ints', value: value.map(BigInt) }
	if ('float' in value) return { type: 'float', value: value.float }
	return { type: 'tensor', value: value as Tensor }
}

/** What to call a node: its name, or its first output's where it has none. */
export function nodeName({ name, outputs, op }: Node): string {
	return name || outputs[0] || op
}

/** Attribute `name` as an integer, or `fallback` where the node has none. */
export function attributeInt(node: Node, name: string, fallback: number): number {
	const attribute = node.attributes[name]
	return attribute?.type === 'int' ? toSafeInteger(attribute.value) : fallback
}

/** Attribute `name` as a number, or `fallback` where the node has none. */
export function attributeFloat(node: Node, name: string, fallback: number): number {
	const attribute = node.attributes[name]
	return attribute?.type === 'float' ? attribute.value : fallback
}

/** Attribute `name` as text, or `fallback` where the node has none. */
export function attributeString(node: Node, name: string, fallback: string): string {
	const attribute = node.attributes[name]
	return attribute?.type === 'string' ? attribute.value : fallback
}

/** Attribute `name` as integers, or undefined where the node has none. */
export function attributeInts(node: Node, name: string): number[] | undefined {
	const attribute = node.attributes[name]
	return attribute?.type === 'ints' ? attribute.value.map(toSafeInteger) : undefined
}

function toSafeInteger(value: bigint): number {
	if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER
	if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER
	return Number(value)
}
