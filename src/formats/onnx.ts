/** ONNX files: recognising, opening, and writing a repair back into the very bytes it came from. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { Graph, Tensor } from '../graph/graph.ts'
import { decodeOnnx, encodeOnnx } from '../graph/onnx.ts'
import { constantOf, writersOf } from '../graph/query.ts'
import { isSameBytes } from '../graph/slices.ts'

/** Field numbers of `onnx.proto` on the way from a model to a tensor's data. */
const MODEL = { graph: 7 }
const GRAPH = { node: 1, initializer: 5 }
const NODE = { output: 2, attribute: 5 }
const ATTRIBUTE = { tensor: 5 }
const TENSOR = { floatData: 4, name: 8, rawData: 9 }

/** Does this look like a protobuf message that could be a model? ONNX has no signature; `decodeOnnx` says whether it really is one. */
export function matchOnnx(bytes: Uint8Array): boolean {
	const first = bytes[0]
	// The first field written is ir_version (1) or, rarely, producer (2), graph (7) or opset_import (8).
	return first === 0x08 || first === 0x12 || first === 0x3a || first === 0x42
}

/**
 * The file `bytes` with the changes from `before` to `after`. Where only the values of constants changed, just those bytes differ;
 * where nodes were added (a mask), the model is encoded again with every other tensor, name and metadata as it was.
 */
export function writeBackOnnx(bytes: Uint8Array, before: Graph, after: Graph): Uint8Array<ArrayBuffer> {
	const isSameStructure =
		before.nodes.length === after.nodes.length && before.initializers.size === after.initializers.size
	const patched = isSameStructure ? patch(bytes, before, after) : null
	return patched ?? encodeOnnx(after)
}

/** Null where a changed tensor is stored in a way that cannot be overwritten in place. */
function patch(bytes: Uint8Array, before: Graph, after: Graph): Uint8Array<ArrayBuffer> | null {
	const places = locateConstants(bytes)
	const copy = new Uint8Array(bytes)
	for (const [name, old, tensor] of changedConstants(before, after)) {
		const place = places.get(name)
		if (place?.length !== old.bytes.length || tensor.bytes.length !== old.bytes.length) return null
		copy.set(tensor.bytes, place.offset)
	}
	// What we located by hand must be what the parser reads: a model may repeat fields, and the last one wins.
	const reread = decodeOnnx(copy)
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

interface Place {
	readonly offset: number
	readonly length: number
}

/** Name of each constant → where its float data lies in the file, for those stored as one run of bytes. */
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

function remember(places: Map<string, Place>, bytes: Uint8Array, name: Place | undefined, tensor: Place): void {
	const runs = [...fields(bytes, tensor, TENSOR.rawData), ...fields(bytes, tensor, TENSOR.floatData)]
	if (name && runs.length === 1 && runs[0]) places.set(textAt(bytes, name), runs[0])
}

function textAt(bytes: Uint8Array, { offset, length }: Place): string {
	return new TextDecoder().decode(bytes.subarray(offset, offset + length))
}

/** Every length-delimited field with this number inside a message. */
function fields(bytes: Uint8Array, { offset, length }: Place, wanted: number): Place[] {
	const reader = new BinaryReader(bytes.subarray(offset, offset + length))
	const found: Place[] = []
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
