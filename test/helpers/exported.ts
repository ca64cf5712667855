/** Models as other exporters write them: built from parts, changed in the message, opened as a user would get them. */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { type ModelProto, ModelProtoSchema } from 'onnx-buf'
import { memoryImages } from '../../src/data/memory.ts'
import { nothingBeside } from '../../src/formats/beside.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open.ts'
import { predict } from '../../src/model/predict.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { PLAIN_SHAPE, randomCnn } from './networks.ts'

/** One native runtime for a whole test file. */
export const runtime = await nodeRuntime({ threads: 1 })

/** A small net for images of 4×4 pixels and one colour, two classes. */
export const GRAPH = randomCnn({ ...PLAIN_SHAPE, channels: 3, seed: 4 })
export const IMAGES = { dims: [2, 1, 4, 4], values: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)) }

/** The model of `graph` with the message changed, as another exporter would have written it. */
export function rewritten(graph: Graph, change: (model: ModelProto) => void): Uint8Array {
	const model = fromBinary(ModelProtoSchema, encodeOnnx(graph))
	change(model)
	return toBinary(ModelProtoSchema, model)
}

/** The model in `bytes`, with `files` beside it. */
export function openWith(bytes: Uint8Array, files: ReadonlyMap<string, Uint8Array> = new Map()): Promise<Model> {
	const readBeside = async (name: string) => files.get(name) ?? nothingBeside('net.onnx')(name, 0)
	return openModel(bytes, { path: 'net.onnx', sha256: '', runtime, readBeside })
}

/** What `model` makes of `IMAGES`, as the commands run it. */
export async function logitsOf(model: Model): Promise<Float32Array> {
	const size = { height: 4, width: 4, channels: 1, layout: 'NCHW' as const }
	const set = memoryImages({ path: 'x', pixels: IMAGES.values, count: 2, ...size, labels: null, classNames: null })
	for await (const { logits } of predict(model, set)) return logits
	throw new Error('no batch')
}

/** `file` with one to three bits flipped. */
export function damaged(file: Uint8Array): fc.Arbitrary<Uint8Array> {
	const flip = fc.tuple(fc.nat(file.length - 1), fc.nat(7))
	return fc.array(flip, { minLength: 1, maxLength: 3 }).map((flips) => {
		const copy = file.slice()
		for (const [at, bit] of flips) copy[at]! ^= 1 << bit
		return copy
	})
}
