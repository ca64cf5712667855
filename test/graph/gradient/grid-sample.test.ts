import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementCount } from '../../../src/graph/graph.ts'
import type { Feed } from '../../../src/runtime/runtime.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import { checkGradient, gradientsOf, operatorGraph, readStored, wave } from '../../helpers/gradients.ts'

/**
 * Samples in the middle of pixels' cells, away from the kinks at their borders, and some outside the image of 4×5: x and y of sample i at
 * pixel `(i mod 7) − ½ + ¼ sin(1.3 i)`.
 */
function grid(align: number): Feed {
	const normalized = (i: number) => {
		const pixel = (i % 7) - 0.5 + 0.25 * Math.sin(1.3 * i)
		const size = i % 2 === 0 ? 5 : 4
		return align === 1 ? (2 * pixel) / (size - 1) - 1 : (2 * pixel + 1) / size - 1
	}
	const dims = [2, 3, 4, 2]
	return { dims, data: Float32Array.from({ length: elementCount(dims) }, (_, i) => normalized(i)) }
}

function sample(align_corners: number, mode = 'bilinear', opset = 17): GradientCase {
	const feeds = { x: wave([2, 3, 4, 5]), grid: grid(align_corners) }
	return { op: 'GridSample', inputs: ['x', 'grid'], feeds, attributes: { align_corners, mode }, opset }
}

const cases: Record<string, GradientCase> = {
	'grid sample, corners not aligned': sample(0),
	'grid sample, corners aligned': sample(1),
	'grid sample, spelled as since opset 20': sample(0, 'linear', 20),
}

describe('gradient of GridSample', () => {
	testGradients(cases, readStored(new URL('torch-maps.json', import.meta.url)), {
		runtime: webRuntime(),
		sample: ['grid sample, corners not aligned'],
	})

	it('of the image agrees with central differences for any shapes: it is linear in the image', async () => {
		const size = fc.integer({ min: 1, max: 5 })
		await fc.assert(
			fc.asyncProperty(
				fc.tuple(size, size, size),
				fc.tuple(size, size),
				fc.nat(1),
				async (map, [h, w], align_corners) => {
					const feeds = { x: wave([2, ...map]), grid: wave([2, h, w, 2], 0.5, 1.3) }
					await checkGradient(operatorGraph('GridSample', ['x', 'grid'], feeds, { align_corners }), feeds, ['x'])
				},
			),
			{ numRuns: 20 },
		)
	})

	it('refuses other modes by name', async () => {
		const { feeds } = sample(0)
		for (const attributes of [{ mode: 'nearest' }, { padding_mode: 'border' }]) {
			const graph = operatorGraph('GridSample', ['x', 'grid'], feeds, attributes)
			await expect(gradientsOf(graph, feeds, ['x'])).rejects.toMatchObject({ code: 'no-gradient' })
		}
	})
})
