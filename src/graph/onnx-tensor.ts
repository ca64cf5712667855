/** Constant arrays: `TensorProto` ↔ `Tensor`. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type TensorProto, TensorProtoSchema } from 'onnx-buf'
import { bytesPerElement, DTYPES, type DType, elementCount, type Tensor } from './graph.ts'
import { corrupt } from './onnx-corrupt.ts'
import { externalBytes, isExternal, type TensorSource } from './onnx-external.ts'

/** The widest axis we believe in: the largest real one is a vocabulary, about 10^5. */
const MAX_DIM = 2 ** 31
/** The most elements we believe in: a 2 GB model (protobuf's own limit) of single bytes. Keeps products in safe integers, too. */
const MAX_ELEMENTS = 2 ** 31

/**
 * Reads a tensor, whichever of ONNX' ways it is stored in: raw bytes, typed fields, or a file beside the model's own.
 * @throws FormatError where the number of bytes is not what the dims say, UnsupportedError for a file that was not handed in
 */
export function decodeTensor(proto: TensorProto, source: TensorSource): Tensor {
	const { path } = source
	const name = proto.name || '(unnamed)'
	const dtype = DTYPES[proto.dataType]
	if (!dtype) throw corrupt(`tensor ${name} has the unknown data type ${proto.dataType}`, path)
	const dims = proto.dims.map(Number)
	if (dims.some((dim) => dim < 0 || dim > MAX_DIM) || elementCount(dims) > MAX_ELEMENTS) {
		throw corrupt(`tensor ${name} has impossible dims [${dims}]`, path)
	}
	const bytes = isExternal(proto) ? externalBytes(proto, source) : tensorBytes(proto, dtype)
	const expected = elementCount(dims) * bytesPerElement(dtype)
	const isSized = bytesPerElement(dtype) > 0
	if (isExternal(proto) && !isSized) throw corrupt(`tensor ${name} of type ${dtype} is stored in a second file`, path)
	if (isSized && bytes.length !== expected) {
		throw corrupt(
			`tensor ${name}: expected ${expected} bytes for dims [${dims}] of ${dtype}, found ${bytes.length}`,
			path,
		)
	}
	return { dtype, dims, bytes, residue: tensorResidue(proto, dtype) }
}

/** The protobuf form of a tensor, always with raw bytes. `name` replaces the one it came with. */
export function encodeTensor(tensor: Tensor, name?: string): TensorProto {
	const proto = tensor.residue ? fromBinary(TensorProtoSchema, tensor.residue) : create(TensorProtoSchema)
	proto.dims = tensor.dims.map(BigInt)
	proto.dataType = DTYPES.indexOf(tensor.dtype)
	if (name !== undefined) proto.name = name
	if (bytesPerElement(tensor.dtype) > 0) proto.rawData = tensor.bytes as Uint8Array<ArrayBuffer> // onnx-buf's type excludes shared memory; nothing here is shared
	return proto
}

/** Typed fields widen small types (an int8 sits in an int32 field), so each is narrowed to the tensor's own type. */
function tensorBytes(proto: TensorProto, dtype: DType): Uint8Array {
	if (proto.rawData.length > 0) return proto.rawData
	switch (dtype) {
		case 'float32':
			return bytesOf(Float32Array.from(proto.floatData))
		case 'float64':
			return bytesOf(Float64Array.from(proto.doubleData))
		case 'int64':
			return bytesOf(BigInt64Array.from(proto.int64Data))
		case 'uint64':
			return bytesOf(BigUint64Array.from(proto.uint64Data))
		case 'uint32':
			return bytesOf(Uint32Array.from(proto.uint64Data, Number))
		case 'int32':
			return bytesOf(Int32Array.from(proto.int32Data))
		case 'int16':
		case 'uint16':
		case 'float16':
		case 'bfloat16':
			return bytesOf(Uint16Array.from(proto.int32Data))
		case 'int8':
		case 'uint8':
		case 'bool':
			return Uint8Array.from(proto.int32Data)
		default:
			return new Uint8Array(0)
	}
}

function bytesOf(array: Exclude<ArrayBufferView, DataView>): Uint8Array {
	return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function tensorResidue(proto: TensorProto, dtype: DType): Uint8Array {
	const rest = { ...proto, dims: [] }
	delete (rest as Partial<TensorProto>).dataType
	if (bytesPerElement(dtype) > 0) {
		for (const key of ['rawData', 'dataLocation'] as const) delete (rest as Partial<TensorProto>)[key]
		Object.assign(rest, {
			externalData: [],
			floatData: [],
			int32Data: [],
			int64Data: [],
			doubleData: [],
			uint64Data: [],
		})
	}
	return toBinary(TensorProtoSchema, rest)
}
