/** Turning test graphs into models, and images into sets, with no file between. */
import type { ImageSet } from '../../src/data/image-set.ts'
import { memoryImages } from '../../src/data/memory.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open.ts'
import { predict } from '../../src/model/predict.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { randomValues } from './networks.ts'

/** One native runtime for a whole test file. */
const runtime = await nodeRuntime({ threads: 1 })

/** The model that a user would get from a file holding this graph. */
export function modelOf(graph: Graph): Promise<Model> {
	return openModel(encodeOnnx(graph), { path: 'test.onnx', sha256: 'test', runtime })
}

/** Random images that fit `model`, with random labels. */
export function randomImages(model: Model, count: number, seed: number): ImageSet {
	const random = randomValues(seed)
	const { height, width, channels } = model.input
	const pixels = Float32Array.from({ length: count * height * width * channels }, random)
	const labels = Int32Array.from(
		{ length: count },
		() => Math.floor(((random() + 1) / 2) * model.classes) % model.classes,
	)
	return memoryImages({
		path: 'random',
		pixels,
		count,
		height,
		width,
		channels,
		layout: 'NCHW',
		labels,
		classNames: null,
	})
}

/** Logits `[N, classes]` of a whole set, row by row. */
export async function logitsOf(model: Model, images: ImageSet): Promise<number[][]> {
	const rows: number[][] = []
	for await (const { logits } of predict(model, images)) {
		for (let i = 0; i < logits.length; i += model.classes) rows.push([...logits.subarray(i, i + model.classes)])
	}
	return rows
}
