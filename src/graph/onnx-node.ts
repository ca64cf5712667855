/** Nodes and their attributes: `NodeProto` ↔ `Node`. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
	AttributeProto_AttributeType as AttributeKind,
	type AttributeProto,
	AttributeProtoSchema,
	type NodeProto,
	NodeProtoSchema,
} from 'onnx-buf'
import type { Attribute, Node } from './graph.ts'
import { corrupt } from './onnx-corrupt.ts'
import type { TensorSource } from './onnx-external.ts'
import { decodeTensor, encodeTensor } from './onnx-tensor.ts'

const fromUtf8 = new TextDecoder()
const toUtf8 = new TextEncoder()

export function decodeNode(proto: NodeProto, source: TensorSource): Node {
	const { name, opType, domain, input, output, attribute } = proto
	const rest = { ...proto, input: [], output: [], attribute: [] }
	for (const key of ['name', 'opType', 'domain'] as const) delete (rest as Partial<NodeProto>)[key]
	const residue = toBinary(NodeProtoSchema, rest)
	return {
		name,
		op: opType,
		domain: domain === 'ai.onnx' ? '' : domain,
		inputs: input,
		outputs: output,
		attributes: Object.fromEntries(attribute.map((each) => [each.name, decodeAttribute(each, source)])),
		...(residue.length > 0 && { residue }),
	}
}

export function encodeNode(node: Node): NodeProto {
	const proto = node.residue ? fromBinary(NodeProtoSchema, node.residue) : create(NodeProtoSchema)
	proto.name = node.name
	proto.opType = node.op
	if (node.domain !== '') proto.domain = node.domain
	proto.input = [...node.inputs]
	proto.output = [...node.outputs]
	proto.attribute = Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(name, attribute))
	return proto
}

function decodeAttribute(proto: AttributeProto, source: TensorSource): Attribute {
	switch (proto.type) {
		case AttributeKind.FLOAT:
			return { type: 'float', value: proto.f }
		case AttributeKind.INT:
			return { type: 'int', value: proto.i }
		case AttributeKind.STRING:
			return { type: 'string', value: fromUtf8.decode(proto.s) }
		case AttributeKind.FLOATS:
			return { type: 'floats', value: proto.floats }
		case AttributeKind.INTS:
			return { type: 'ints', value: proto.ints }
		case AttributeKind.STRINGS:
			return { type: 'strings', value: proto.strings.map((each) => fromUtf8.decode(each)) }
		case AttributeKind.TENSOR:
			if (!proto.t) throw corrupt(`attribute ${proto.name} says that it is a tensor and holds none`, source.path)
			return { type: 'tensor', value: decodeTensor(proto.t, source) }
		default:
			return { type: 'opaque', value: toBinary(AttributeProtoSchema, proto) }
	}
}

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
	switch (attribute.type) {
		case 'float':
			return create(AttributeProtoSchema, { name, type: AttributeKind.FLOAT, f: attribute.value })
		case 'int':
			return create(AttributeProtoSchema, { name, type: AttributeKind.INT, i: attribute.value })
		case 'string':
			return create(AttributeProtoSchema, { name, type: AttributeKind.STRING, s: toUtf8.encode(attribute.value) })
		case 'floats':
			return create(AttributeProtoSchema, { name, type: AttributeKind.FLOATS, floats: [...attribute.value] })
		case 'ints':
			return create(AttributeProtoSchema, { name, type: AttributeKind.INTS, ints: [...attribute.value] })
		case 'strings':
			return create(AttributeProtoSchema, {
				name,
				type: AttributeKind.STRINGS,
				strings: attribute.value.map((each) => toUtf8.encode(each)),
			})
		case 'tensor':
			return create(AttributeProtoSchema, { name, type: AttributeKind.TENSOR, t: encodeTensor(attribute.value) })
		case 'opaque':
			return fromBinary(AttributeProtoSchema, attribute.value)
	}
}
