import fc from 'fast-check'
import { describe, it } from 'vitest'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import { checkGradient, operatorGraph, readStored, scattered, wave } from '../../helpers/gradients.ts'

/** Maxima have kinks where two elements are close: the step stays below the distance of any two. */
function pool(op: string, x: readonly number[], attributes: GradientCase['attributes'] = {}): GradientCase {
	const check = op.includes('Max') ? { epsilon: 1e-3, atol: 1e-2 } : {}
	return { op, inputs: ['x'], feeds: { x: wave(x) }, attributes, check }
}

const square = (size: number) => [size, size]
const cases: Record<string, GradientCase> = {
	'max tiling': pool('MaxPool', [2, 3, 6, 8], { kernel_shape: square(2), strides: square(2) }),
	'max overlapping': pool('MaxPool', [2, 3, 7, 8], { kernel_shape: square(3), strides: square(2), pads: [1, 1, 1, 1] }),
	'max stride 1': pool('MaxPool', [2, 3, 7, 8], { kernel_shape: square(3) }),
	'max dilated': pool('MaxPool', [2, 3, 7, 8], { kernel_shape: square(2), dilations: square(3), pads: [1, 1, 1, 1] }),
	'max ceil': pool('MaxPool', [2, 3, 7, 8], { kernel_shape: square(3), strides: square(2), ceil_mode: 1 }),
	'max padded more behind': pool('MaxPool', [2, 3, 7, 8], {
		kernel_shape: square(3),
		strides: square(2),
		auto_pad: 'SAME_UPPER',
	}),
	'max along one axis': pool('MaxPool', [2, 3, 9], { kernel_shape: [3], strides: [2] }),
	'max counting columns first': pool('MaxPool', [2, 3, 6, 8], {
		kernel_shape: square(2),
		strides: square(2),
		storage_order: 1,
	}),
	'max global': pool('GlobalMaxPool', [2, 3, 5, 4]),
	'average tiling': pool('AveragePool', [2, 3, 6, 8], { kernel_shape: square(2), strides: square(2) }),
	'average, padding counted': pool('AveragePool', [2, 3, 7, 8], {
		kernel_shape: square(3),
		strides: square(2),
		pads: [1, 1, 1, 1],
		count_include_pad: 1,
	}),
	'average, padding not counted': pool('AveragePool', [2, 3, 7, 8], {
		kernel_shape: square(3),
		strides: square(2),
		pads: [1, 1, 1, 1],
	}),
	'average ceil': pool('AveragePool', [2, 3, 8, 6], { kernel_shape: square(3), strides: square(2), ceil_mode: 1 }),
	'average ceil, padding counted': pool('AveragePool', [2, 3, 8, 6], {
		kernel_shape: square(3),
		strides: square(2),
		pads: [1, 1, 1, 1],
		ceil_mode: 1,
		count_include_pad: 1,
	}),
	'average along one axis': pool('AveragePool', [2, 3, 9], { kernel_shape: [3], strides: [2] }),
	'average dilated': {
		...pool('AveragePool', [2, 3, 7, 8], { kernel_shape: square(2), dilations: square(2) }),
		opset: 19,
	},
	'average global': pool('GlobalAveragePool', [2, 3, 5, 4]),
}

describe('gradients of pools', () => {
	testGradients(cases, readStored(new URL('torch-maps.json', import.meta.url)), {
		runtime: webRuntime(),
		sample: ['max tiling', 'max overlapping', 'average, padding not counted'],
	})

	const size = fc.integer({ min: 1, max: 4 })
	const shape = fc.record({
		op: fc.constantFrom('MaxPool', 'AveragePool'),
		kernel_shape: fc.tuple(size, size),
		strides: fc.tuple(size, size),
		larger: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
		pads: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
		count_include_pad: fc.nat(1),
	})

	it('agree with central differences for any window, stride and padding', async () => {
		await fc.assert(
			fc.asyncProperty(shape, async ({ op, kernel_shape, strides, larger, pads, count_include_pad }) => {
				const size = kernel_shape.map((each, axis) => each + larger[axis]!)
				const feeds = { x: scattered([1, 2, ...size]) }
				// Padding must be smaller than the window.
				const fitting = pads.map((pad, i) => Math.min(pad, kernel_shape[i % 2]! - 1))
				const counted = op === 'AveragePool' ? { count_include_pad } : {}
				const graph = operatorGraph(op, ['x'], feeds, { kernel_shape, strides, pads: fitting, ...counted })
				await checkGradient(graph, feeds, ['x'], { epsilon: 2e-3, atol: 5e-3 })
			}),
			{ numRuns: 50 },
		)
	})
})

describe('pools that halve a map by dilated windows', () => {
	for (const op of ['MaxPool', 'AveragePool']) {
		it(`${op}: agrees with central differences, though sizes, kernel and stride are those of plain halving`, async () => {
			const feeds = { x: scattered([1, 2, 4, 4]) }
			const attributes = { kernel_shape: square(2), strides: square(2), dilations: square(2), pads: [0, 0, 1, 1] }
			const graph = operatorGraph(op, ['x'], feeds, attributes, { opset: op === 'MaxPool' ? 17 : 19 })
			await checkGradient(graph, feeds, ['x'], { epsilon: 1e-3, rtol: 1e-2, atol: 1e-2 })
		})
	}
})
