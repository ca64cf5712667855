/** ONNX files: recognising, opening, and writing a repair back into the very bytes it came from. */
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { TensorProtoSchema } from 'onnx-buf'
import type { Graph, Tensor } from '../graph/graph.ts'
import { decodeOnnx, encodeOnnx, graphOf, parseOnnx } from '../graph/onnx.ts'
import { externalFiles, externalPlace } from '../graph/onnx-external.ts'
import { constantOf, writersOf } from '../graph/query.ts'
import { isSameBytes } from '../graph/slices.ts'
import { upgradeOpset } from '../graph/upgrade.ts'
import { type ReadBeside, readAllBeside } from './beside.ts'

/** Field numbers of `onnx.proto` on the way from a model to a tensor's data. */
const MODEL = { graph: 7 }
const GRAPH = { node: 1, initializer: 5 }
const NODE = { output: 2, attribute: 5 }
const ATTRIBUTE = { tensor: 5 }
const TENSOR = { floatData: 4, name: 8, rawData: 9, externalData: 13 }

/** Does this look like a protobuf message that could be a model? ONNX has no signature; `decodeOnnx` says whether it really is one. */
export function matchOnnx(bytes: Uint8Array): boolean {
	const first = bytes[0]
	// The first field written is ir_version (1) or, rarely, producer (2), graph (7) or opset_import (8).
	return first === 0x08 || first === 0x12 || first === 0x3a || first === 0x42
}

/** A model's graph (opset 7 or newer) and the files beside its own that hold its external data, by the names that it gives them. */
export interface OnnxModel {
	readonly graph: Graph
	readonly beside: ReadonlyMap<string, Uint8Array>
}

/** The model in `bytes`, with its external data from `read`. Throws as `decodeOnnx`, `readAllBeside` and `upgradeOpset` do. */
export async function openOnnx(bytes: Uint8Array, path: string, read: ReadBeside): Promise<OnnxModel> {
	const model = parseOnnx(bytes, path)
	const beside = await readAllBeside(externalFiles(model), read, path)
	return { graph: upgradeOpset(graphOf(model, { path, beside })), beside }
}

/**
 * The file `bytes` with the changes from `before` to `after`. Where only the values of constants changed, just those bytes differ;
 * where nodes were added (a mask), the model is encoded again with every other tensor, name and metadata as it was.
 */
export function writeBackOnnx(bytes: Uint8Array, before: Graph, after: Graph): Uint8Array {
	return writeBackOnnxFiles({ main: bytes, beside: new Map() }, before, after).main
}

/** A model's own file and those beside it. */
export interface OnnxFiles {
	readonly main: Uint8Array
	readonly beside: ReadonlyMap<string, Uint8Array>
}

/**
 * As `writeBackOnnx`, for a model with external data: each changed value is written into the file that holds it. A model that has to be
 * encoded again comes out as one file.
 */
export function writeBackOnnxFiles(files: OnnxFiles, before: Graph, after: Graph): OnnxFiles {
	const isSameStructure =
		before.nodes.length === after.nodes.length && before.initializers.size === after.initializers.size
	const patched = isSameStructure ? patch(files, before, after) : null
	return patched ?? { main: encodeOnnx(after), beside: new Map() }
}

/** Null where a changed tensor is stored in a way that cannot be overwritten in place. */
function patch({ main, beside }: OnnxFiles, before: Graph, after: Graph): OnnxFiles | null {
	const changes = changedConstants(before, after)
	const places = changes.length === 0 ? new Map<string, Place>() : locateConstants(main)
	const touched = new Set(changes.map(([name]) => places.get(name)?.file))
	const copy = {
		main: new Uint8Array(main),
		beside: new Map([...beside].map(([name, bytes]) => [name, touched.has(name) ? new Uint8Array(bytes) : bytes])),
	}
	for (const [name, old, tensor] of changes) {
		const place = places.get(name)
		if (!place || (place.length ?? old.bytes.length) !== old.bytes.length || tensor.bytes.length !== old.bytes.length)
			return null
		const file = place.file === undefined ? copy.main : copy.beside.get(place.file)
		file?.set(tensor.bytes, place.offset)
	}
	// What we located by hand must be what the parser reads: a model may repeat fields, and the last one wins.
	const reread = decodeOnnx(copy.main, undefined, copy.beside)
	return changedConstants(reread, after).length === 0 ? copy : null
}

type Change = readonly [name: string, old: Tensor, tensor: Tensor]

/** Constants that both graphs have and whose bytes differ. */
function changedConstants(before: Graph, after: Graph): Change[] {
	const [writersBefore, writersAfter] = [writersOf(before), writersOf(after)]
	const constantNodes = after.nodes.filter(({ op }) => op === 'Constant').map(({ outputs }) => outputs[0] ?? '')
	const changes: Change[] = []
	for (const name of [...after.initializers.keys(), ...constantNodes]) {
		const old = constantOf(before, name, writersBefore)
		const tensor = constantOf(after, name, writersAfter)
		if (old && tensor && !isSameBytes(old.bytes, tensor.bytes)) changes.push([name, old, tensor])
	}
	return changes
}

/** A run of bytes in the model's own file. */
interface Span {
	readonly offset: number
	readonly length: number
}

/** A run of bytes in the model's own file, or in `file` beside it; `length` is null where it goes to the end of that file. */
interface Place {
	readonly file?: string
	readonly offset: number
	readonly length: number | null
}

/** Name of each constant → where its float data lies, for those stored as one run of bytes. */
function locateConstants(bytes: Uint8Array): Map<string, Place> {
	const places = new Map<string, Place>()
	for (const graph of fields(bytes, { offset: 0, length: bytes.length }, MODEL.graph)) {
		for (const tensor of fields(bytes, graph, GRAPH.initializer)) {
			const [name] = fields(bytes, tensor, TENSOR.name)
			remember(places, bytes, name, tensor)
		}
		for (const node of fields(bytes, graph, GRAPH.node)) {
			const [output] = fields(bytes, node, NODE.output)
			for (const attribute of fields(bytes, node, NODE.attribute)) {
				for (const tensor of fields(bytes, attribute, ATTRIBUTE.tensor)) remember(places, bytes, output, tensor)
			}
		}
	}
	return places
}

function remember(places: Map<string, Place>, bytes: Uint8Array, name: Span | undefined, tensor: Span): void {
	const runs = [...fields(bytes, tensor, TENSOR.rawData), ...fields(bytes, tensor, TENSOR.floatData)]
	const isOutside = fields(bytes, tensor, TENSOR.externalData).length > 0
	if (!name) return
	if (isOutside)
		places.set(textAt(bytes, name), outsidePlace(bytes.subarray(tensor.offset, tensor.offset + tensor.length)))
	else if (runs.length === 1 && runs[0]) places.set(textAt(bytes, name), runs[0])
}

function outsidePlace(tensor: Uint8Array): Place {
	const { location, offset, length } = externalPlace(fromBinary(TensorProtoSchema, tensor), undefined)
	return { file: location, offset, length }
}

function textAt(bytes: Uint8Array, { offset, length }: Span): string {
	return new TextDecoder().decode(bytes.subarray(offset, offset + length))
}

/** Every length-delimited field with this number inside a message. */
function fields(bytes: Uint8Array, { offset, length }: Span, wanted: number): Span[] {
	const reader = new BinaryReader(bytes.subarray(offset, offset + length))
	const found: Span[] = []
	while (reader.pos < reader.len) {
		const [field, wire] = reader.tag()
		if (field === wanted && wire === WireType.LengthDelimited) {
			const size = reader.uint32()
			found.push({ offset: offset + reader.pos, length: size })
			reader.pos += size
		} else reader.skip(wire, field)
	}
	return found
}
