/**
 * ONNX files ↔ `Graph`. The wire format is protobuf (`onnx.proto`, github.com/onnx/onnx), read and written through onnx-buf. What
 * `Graph` has no word for is kept encoded as `residue` and comes out again as it went in, so that decode∘encode loses nothing.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
	type GraphProto,
	GraphProtoSchema,
	type ModelProto,
	ModelProtoSchema,
	OperatorSetIdProtoSchema,
	StringStringEntryProtoSchema,
	TensorShapeProto_DimensionSchema,
	TensorShapeProtoSchema,
	TypeProto_TensorSchema,
	TypeProtoSchema,
	type ValueInfoProto,
	ValueInfoProtoSchema,
} from 'onnx-buf'
import { messageOf, UnsupportedError } from '../errors.ts'
import { dissolveFunctions } from './functions.ts'
import { type Dim, DTYPES, type Graph, type Value } from './graph.ts'
import { corrupt } from './onnx-corrupt.ts'
import type { TensorSource } from './onnx-external.ts'
import { decodeNode, encodeNode } from './onnx-node.ts'
import { decodeTensor, encodeTensor } from './onnx-tensor.ts'

/** ONNX' operator sets begin with 1; exporters in use write 6 and upwards. */
const MIN_OPSET = 6

/**
 * Reads an ONNX model.
 *
 * @param bytes the whole file; the graph's tensors are views into it, so it must not be changed afterwards
 * @param beside the files that hold its external data, by the names that it gives them
 * @throws FormatError `corrupt-onnx` when the bytes are no ONNX model or contradict themselves
 * @throws UnsupportedError `opset-too-old`, `external-data`, `mixed-opsets`
 */
export function decodeOnnx(bytes: Uint8Array, path?: string, beside: TensorSource['beside'] = new Map()): Graph {
	return graphOf(parseOnnx(bytes, path), { path, beside })
}

/** The message in `bytes`. Throws `FormatError` (`corrupt-onnx`) where there is none, or none with a graph. */
export function parseOnnx(bytes: Uint8Array, path: string | undefined): ModelProto {
	// A Buffer's `slice` shares memory where a Uint8Array's copies; tensors must be plain arrays.
	const model = parse(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), path)
	if (model.graph && model.graph.node.length + model.graph.output.length > 0) return model
	throw corrupt('it holds no graph (expected a protobuf ModelProto with nodes and outputs)', path)
}

/** The graph of a parsed model, its local functions dissolved. Throws as `decodeOnnx` does. */
export function graphOf(model: ModelProto, source: TensorSource): Graph {
	const { path } = source
	const proto = model.graph ?? create(GraphProtoSchema)
	const { nodes, opsets } = dissolveFunctions(model, path)
	const opset = opsets.get('') ?? 1
	if (opset < MIN_OPSET) {
		throw new UnsupportedError(
			'opset-too-old',
			`${path ?? 'model'}: ONNX opset ${opset} is not supported (expected ${MIN_OPSET} or newer); export the model again with a newer opset`,
			{ path },
		)
	}
	const initializers = new Map(proto.initializer.map((tensor) => [tensor.name, decodeTensor(tensor, source)]))
	return {
		name: proto.name,
		nodes: nodes.map((node) => decodeNode(node, source)),
		// Before IR version 4 every initializer was listed among the inputs as well.
		inputs: proto.input.filter(({ name }) => !initializers.has(name)).map(decodeValue),
		outputs: proto.output.map(decodeValue),
		initializers,
		valueInfo: proto.valueInfo.map(decodeValue),
		irVersion: Number(model.irVersion),
		opsets,
		metadata: new Map(model.metadataProps.map(({ key, value }) => [key, value])),
		producerName: model.producerName,
		producerVersion: model.producerVersion,
		residue: { model: modelResidue(model), graph: graphResidue(proto) },
	}
}

/** The bytes of an ONNX file holding `graph`. Tensors stored as typed fields (`float_data`) come out as `raw_data`. */
export function encodeOnnx(graph: Graph): Uint8Array<ArrayBuffer> {
	const model = graph.residue ? fromBinary(ModelProtoSchema, graph.residue.model) : create(ModelProtoSchema)
	const proto = graph.residue ? fromBinary(GraphProtoSchema, graph.residue.graph) : create(GraphProtoSchema)
	proto.name = graph.name
	proto.node = graph.nodes.map(encodeNode)
	proto.input = [...graph.inputs, ...(graph.irVersion < 4 ? initializersAsInputs(graph) : [])].map(encodeValue)
	proto.output = graph.outputs.map(encodeValue)
	proto.valueInfo = graph.valueInfo.map(encodeValue)
	proto.initializer = [...graph.initializers].map(([name, tensor]) => encodeTensor(tensor, name))
	model.graph = proto
	model.irVersion = BigInt(graph.irVersion)
	model.producerName = graph.producerName
	model.producerVersion = graph.producerVersion
	model.opsetImport = [...graph.opsets].map(([domain, version]) =>
		create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
	)
	model.metadataProps = [...graph.metadata].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }))
	return toBinary(ModelProtoSchema, model)
}

function parse(bytes: Uint8Array, path: string | undefined): ModelProto {
	try {
		return fromBinary(ModelProtoSchema, bytes)
	} catch (error) {
		throw corrupt(`${messageOf(error)}; the file is truncated, damaged or of another kind`, path, error)
	}
}

function modelResidue(model: ModelProto): Uint8Array {
	const rest = { ...model, opsetImport: [], metadataProps: [], functions: [] }
	for (const key of ['graph', 'irVersion', 'producerName', 'producerVersion'] as const)
		delete (rest as Partial<ModelProto>)[key]
	return toBinary(ModelProtoSchema, rest)
}

function graphResidue(graph: GraphProto): Uint8Array {
	const rest = { ...graph, node: [], initializer: [], input: [], output: [], valueInfo: [] }
	delete (rest as Partial<GraphProto>).name
	return toBinary(GraphProtoSchema, rest)
}

function decodeValue(proto: ValueInfoProto): Value {
	const { name, type } = proto
	if (type?.value.case !== 'tensorType') {
		return { name, dtype: 'undefined', shape: null, residue: toBinary(ValueInfoProtoSchema, proto) }
	}
	const { elemType, shape } = type.value.value
	const dims = shape?.dim.map(({ value }): Dim => {
		if (value.case === 'dimParam') return value.value
		return value.case === 'dimValue' ? Number(value.value) : null
	})
	const rest = { ...proto }
	for (const key of ['name', 'type'] as const) delete (rest as Partial<ValueInfoProto>)[key]
	const residue = toBinary(ValueInfoProtoSchema, rest)
	return { name, dtype: DTYPES[elemType] ?? 'undefined', shape: dims ?? null, ...(residue.length > 0 && { residue }) }
}

function encodeValue(value: Value): ValueInfoProto {
	const proto = value.residue ? fromBinary(ValueInfoProtoSchema, value.residue) : create(ValueInfoProtoSchema)
	proto.name = value.name
	if (value.dtype === 'undefined') return proto
	const tensor = create(TypeProto_TensorSchema, { elemType: DTYPES.indexOf(value.dtype) })
	if (value.shape) tensor.shape = create(TensorShapeProtoSchema, { dim: value.shape.map(encodeDim) })
	proto.type = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } })
	return proto
}

function encodeDim(dim: Dim) {
	if (dim === null) return create(TensorShapeProto_DimensionSchema)
	return typeof dim === 'number'
		? create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(dim) } })
		: create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: dim } })
}

function initializersAsInputs(graph: Graph): Value[] {
	return [...graph.initializers].map(([name, { dtype, dims }]) => ({ name, dtype, shape: dims }))
}
