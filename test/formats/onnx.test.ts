import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, TensorProtoSchema } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { writeBackOnnx } from '../../src/formats/onnx.ts'
import { zeroChannels } from '../../src/graph/edit.ts'
import { floatsOf } from '../../src/graph/graph.ts'
import { maskValue } from '../../src/graph/mask.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { constantOf } from '../../src/graph/query.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const GRAPH = randomCnn({ ...PLAIN_SHAPE, channels: 3, seed: 4 })
const KERNEL = [{ name: 'conv_1/kernel', axis: 0 }]

/** The same model with its kernel as other exporters write it. */
function rewritten(change: (model: ReturnType<typeof parse>) => void): Uint8Array {
	const model = parse(encodeOnnx(GRAPH))
	change(model)
	return toBinary(ModelProtoSchema, model)
}
const parse = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes)

describe('writeBackOnnx', () => {
	const kinds: [string, Uint8Array][] = [
		['raw bytes', encodeOnnx(GRAPH)],
		[
			'float_data',
			rewritten(({ graph }) => {
				const kernel = graph!.initializer.find(({ name }) => name === 'conv_1/kernel')!
				kernel.floatData = [...new Float32Array(kernel.rawData.slice().buffer)]
				delete (kernel as { rawData?: Uint8Array }).rawData
			}),
		],
		[
			'a Constant node',
			rewritten(({ graph }) => {
				const at = graph!.initializer.findIndex(({ name }) => name === 'conv_1/kernel')
				const [tensor] = graph!.initializer.splice(at, 1)
				const constant = parse(encodeOnnx(GRAPH)).graph!.node[0]!
				Object.assign(constant, { name: '', opType: 'Constant', input: [], output: ['conv_1/kernel'] })
				constant.attribute = [
					{
						...parse(encodeOnnx(GRAPH)).graph!.node[0]!.attribute[0]!,
						name: 'value',
						type: 4,
						ints: [],
						t: create(TensorProtoSchema, tensor!),
					},
				]
				graph!.node.unshift(constant)
			}),
		],
	]
	for (const [kind, bytes] of kinds) {
		it(`overwrites a kernel stored as ${kind} in place, and not one byte else`, () => {
			const before = decodeOnnx(bytes)
			const after = zeroChannels(before, KERNEL, [1])
			const written = writeBackOnnx(bytes, before, after)
			expect(written.length).toBe(bytes.length)
			const changed = [...written.keys()].filter((i) => written[i] !== bytes[i])
			expect(changed.length).toBeGreaterThan(0)
			expect(changed.at(-1)! - changed[0]!).toBeLessThan(9 * 4)
			const kernel = floatsOf(constantOf(decodeOnnx(written), 'conv_1/kernel')!)
			expect([...kernel.subarray(9, 18)]).toEqual(Array(9).fill(0))
			expect(kernel.subarray(0, 9)).toEqual(floatsOf(constantOf(before, 'conv_1/kernel')!).subarray(0, 9))
		})
	}

	it('with a mask added, keeps every tensor, name and metadata of the file', () => {
		const bytes = encodeOnnx(GRAPH)
		const before = decodeOnnx(bytes)
		const written = decodeOnnx(
			writeBackOnnx(bytes, before, maskValue(before, 'layer', { channels: [2], count: 3, axis: 1, rank: 4 })),
		)
		for (const [name, tensor] of before.initializers) {
			expect(Buffer.compare(written.initializers.get(name)!.bytes, tensor.bytes), name).toBe(0)
		}
		expect(written.metadata).toEqual(before.metadata)
		expect(written.nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(before.nodes.map(({ name }) => name)))
		expect(written.nodes).toHaveLength(before.nodes.length + 1)
	})
})
