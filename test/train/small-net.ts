/** The net and the images of torch-training.py. */
import { floatTensor, makeNode } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { openModel } from '../../src/model/open.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { wave } from '../helpers/gradients.ts'
import { wrapGraph } from '../helpers/networks.ts'

const IMAGES = { height: 6, width: 6, channels: 3, count: 8 } as const
export const images = {
	...IMAGES,
	pixels: Uint8Array.from({ length: 8 * 6 * 6 * 3 }, (_, i) => (37 * i) % 256),
	labels: Int32Array.from({ length: 8 }, (_, i) => i % 3),
}

/** The net of torch-training.py, through the file format as any other. */
export async function makeNet() {
	const wavy = (dims: readonly number[], phase: number) =>
		floatTensor(dims, wave(dims, phase, 0.3).data as Float32Array)
	const filled = (value: number) => floatTensor([4], new Float32Array(4).fill(value))
	const nodes = [
		makeNode('Conv', ['x', 'conv.w'], ['conv'], { pads: [1, 1, 1, 1] }),
		makeNode('BatchNormalization', ['conv', 'gamma', 'beta', 'mean', 'variance'], ['bn']),
		makeNode('Relu', ['bn'], ['relu']),
		makeNode('MaxPool', ['relu'], ['pool'], { kernel_shape: [2, 2], strides: [2, 2] }),
		makeNode('Flatten', ['pool'], ['flat']),
		makeNode('Gemm', ['flat', 'dense.w', 'dense.b'], ['output'], { transB: 1 }),
	]
	const initializers = new Map([
		['conv.w', wavy([4, 3, 3, 3], 0)],
		['gamma', filled(1)],
		['beta', filled(0)],
		['mean', filled(0)],
		['variance', filled(1)],
		['dense.w', wavy([3, 36], 2)],
		['dense.b', wavy([3], 3)],
	])
	const graph = { ...wrapGraph(nodes, initializers, ['N', 3, 6, 6], ['N', 3]), opsets: new Map([['', 17]]) }
	return openModel(encodeOnnx(graph), {
		path: 'net',
		sha256: '',
		runtime: await nodeRuntime({ threads: 1 }),
		preprocessing: { scale: 1 / 255, mean: null, std: null, channels: 'rgb', resize: false },
	})
}
