import { describe, expect, it } from 'vitest'
import { marginMaxima } from '../../../src/defense/invert/margin.ts'
import { labelsToInvert } from '../../../src/defense/invert/suspects.ts'
import { floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { encodeOnnx } from '../../../src/graph/onnx.ts'
import { loadModel } from '../../../src/model/load.ts'
import { openModel } from '../../../src/model/open.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { wrapGraph } from '../../helpers/networks.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

const runtime = await nodeRuntime({ threads: 1 })

/** A net of one matrix, `[pixels, classes]`, on 2×2 grey images of 0..255. */
function linear(weightOf: (pixel: number, label: number) => number, classes: number) {
	const weights = Float32Array.from({ length: 4 * classes }, (_, i) => weightOf(Math.floor(i / classes), i % classes))
	const nodes = [makeNode('Flatten', ['x'], ['flat']), makeNode('MatMul', ['flat', 'w'], ['output'])]
	const graph = wrapGraph(nodes, new Map([['w', floatTensor([4, classes], weights)]]), ['N', 1, 2, 2], ['N', classes])
	return openModel(encodeOnnx({ ...graph, opsets: new Map([['', 17]]) }), { path: 'net', sha256: '', runtime })
}

describe('marginMaxima', () => {
	it('comes near the margin that a linear net allows within 0..255', async () => {
		const weights = [
			[0.02, -0.01, 0.03, 0],
			[0.01, 0.02, -0.02, 0.005],
		]
		const model = await linear((pixel, label) => weights[label]![pixel]!, 2)
		const found = await marginMaxima(model, { seed: 1 })
		for (const label of [0, 1]) {
			// The best picture has each pixel at that end of its range which speaks for the label.
			const best = [0, 1, 2, 3].reduce(
				(sum, pixel) => sum + 255 * Math.max(0, weights[label]![pixel]! - weights[1 - label]![pixel]!),
				0,
			)
			expect(found[label]!).toBeLessThanOrEqual(best)
			expect(found[label]!).toBeGreaterThan(0.85 * best)
		}
	})

	it('stops when it is told to', async () => {
		const model = await linear((pixel, label) => pixel - label, 2)
		await expect(marginMaxima(model, { seed: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
			code: 'interrupted',
		})
	})
})

describe('labelsToInvert', () => {
	it('are all labels of a net of few, and of a net of many those that stand out beside some others', async () => {
		const few = await linear((pixel, label) => (pixel * label) / 100, 64)
		expect(await labelsToInvert(few, { seed: 1 })).toEqual({ labels: [...Array(64).keys()], byMargin: [] })
		const many = await linear((pixel, label) => (label === 71 ? 0.5 : Math.sin(7 * pixel + label) / 100), 100)
		const { labels, byMargin } = await labelsToInvert(many, { seed: 1 })
		expect([byMargin[0], byMargin.length]).toEqual([71, 100])
		expect(labels[0]).toBe(71)
		expect(labels).toHaveLength(32)
		expect(new Set(labels).size).toBe(32)
	})
})

describeShared('margin maxima of nets that others backdoored', () => {
	it.each([
		['mnist-white-square/badnet_mnist.onnx', 1, { scale: 1 / 255, mean: [0.5], std: [0.5] }],
		['mnist-small-square-onnx/mnist_badnet_opset10.onnx', 0, {}],
		['cifar10-grid-wrn16/backdoored_wrn16_1.onnx', 5, { scale: 1 / 255 }],
	])('%s: the target, %i, has the largest', async (path, target, preprocessing) => {
		const model = await loadModel(sharedPath(`models/backdoored/${path}`), { runtime, preprocessing })
		const maxima = await marginMaxima(model, { seed: 1 })
		expect(maxima.indexOf(Math.max(...maxima))).toBe(target)
	})
})
