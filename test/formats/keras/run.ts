/** Runs a graph in ONNX Runtime, for comparing it with what others computed. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Graph } from '../../../src/graph/graph.ts'
import { encodeOnnx } from '../../../src/graph/onnx.ts'

/** An array as tests write it: its shape and its numbers, row-major. */
export interface NdArray {
	readonly dims: readonly number[]
	readonly values: ArrayLike<number>
}

/** The outputs of `graph`, in their order, for `inputs` in theirs. */
export async function run(graph: Graph, inputs: readonly NdArray[]): Promise<NdArray[]> {
	const session = await InferenceSession.create(encodeOnnx(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 })
	const feeds = Object.fromEntries(
		graph.inputs.map(({ name }, index) => {
			const { values, dims } = inputs[index] as NdArray
			return [name, new Tensor('float32', Float32Array.from(values), dims)]
		}),
	)
	const results = await session.run(feeds)
	await session.release()
	return graph.outputs.map(({ name }) => {
		const { data, dims } = results[name] as Tensor
		return { dims, values: data as Float32Array }
	})
}

/** The largest absolute difference; infinite where the lengths differ or a number is none. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
	if (a.length !== b.length) return Number.POSITIVE_INFINITY
	const differences = Array.from(a, (value, index) => Math.abs(value - (b[index] as number)))
	return differences.reduce((most, value) => (value > most || Number.isNaN(value) ? value : most), 0)
}
