import fc from 'fast-check'
import { describe, it } from 'vitest'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import { checkGradient, operatorGraph, readStored, wave } from '../../helpers/gradients.ts'

function convolution(
	op: string,
	x: readonly number[],
	w: readonly number[],
	attributes: GradientCase['attributes'] = {},
) {
	const filters = op === 'Conv' ? w[0]! : w[1]! * Number(attributes.group ?? 1)
	const feeds = { x: wave(x), w: wave(w, 1), b: wave([filters], 2) }
	return { op, inputs: ['x', 'w', 'b'], feeds, attributes }
}

const cases: Record<string, GradientCase> = {
	'conv plain': convolution('Conv', [2, 3, 5, 6], [4, 3, 3, 3]),
	'conv strided, padded, dilated': convolution('Conv', [2, 3, 9, 8], [4, 3, 3, 2], {
		strides: [2, 3],
		pads: [1, 2, 1, 2],
		dilations: [2, 1],
	}),
	'conv in groups': convolution('Conv', [2, 4, 6, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
	'conv depthwise': convolution('Conv', [2, 3, 6, 7], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
	'conv of many channels': convolution('Conv', [1, 16, 4, 5], [3, 16, 3, 2], { pads: [1, 0, 1, 1] }),
	'conv of many channels in groups': convolution('Conv', [1, 32, 4, 5], [4, 16, 3, 2], { group: 2 }),
	'conv of one pixel': convolution('Conv', [3, 4, 5, 5], [5, 4, 1, 1]),
	'conv of one pixel, strided': convolution('Conv', [3, 4, 5, 6], [5, 4, 1, 1], { strides: [2, 2] }),
	'conv along one axis': convolution('Conv', [2, 3, 11], [4, 3, 4], { strides: [2], pads: [1, 1] }),
	'conv along three axes': convolution('Conv', [2, 2, 4, 5, 3], [3, 2, 2, 3, 2], { pads: [1, 1, 1, 1, 1, 1] }),
	'conv padded more behind': convolution('Conv', [2, 2, 5, 6], [3, 2, 3, 2], {
		auto_pad: 'SAME_UPPER',
		strides: [2, 2],
	}),
	'conv padded more before': convolution('Conv', [2, 2, 5, 6], [3, 2, 4, 4], {
		auto_pad: 'SAME_LOWER',
		strides: [2, 1],
	}),
	'conv without padding, as told': convolution('Conv', [2, 2, 5, 6], [3, 2, 3, 2], { auto_pad: 'VALID' }),
	'transposed plain': convolution('ConvTranspose', [2, 3, 4, 5], [3, 4, 3, 3]),
	'transposed strided, padded': convolution('ConvTranspose', [2, 3, 4, 5], [3, 2, 3, 4], {
		strides: [2, 3],
		pads: [1, 1, 1, 1],
		output_padding: [1, 2],
		dilations: [2, 1],
	}),
	'transposed in groups': convolution('ConvTranspose', [2, 4, 4, 3], [4, 3, 2, 2], { group: 2, strides: [2, 2] }),
	'transposed to a told shape': convolution('ConvTranspose', [1, 2, 3, 4], [2, 3, 3, 3], {
		strides: [2, 2],
		output_shape: [6, 8],
	}),
	'transposed to a told shape, padded more before': convolution('ConvTranspose', [1, 2, 3, 4], [2, 3, 3, 3], {
		strides: [2, 2],
		output_shape: [6, 8],
		auto_pad: 'SAME_LOWER',
	}),
	'transposed, SAME': convolution('ConvTranspose', [1, 2, 3, 4], [2, 3, 3, 3], {
		strides: [2, 2],
		auto_pad: 'SAME_UPPER',
	}),
}

describe('gradients of convolutions', () => {
	testGradients(cases, readStored(new URL('torch-maps.json', import.meta.url)), {
		runtime: webRuntime(),
		sample: ['conv strided, padded, dilated', 'conv depthwise', 'transposed strided, padded'],
	})

	const shape = fc.record({
		op: fc.constantFrom('Conv', 'ConvTranspose'),
		group: fc.integer({ min: 1, max: 3 }),
		perGroup: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
		kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })),
		strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
		dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
		pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
		larger: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })),
	})

	it('agree with central differences for any kernel, stride, dilation, padding and group', async () => {
		await fc.assert(
			fc.asyncProperty(shape, async ({ op, group, perGroup: [a, b], kernel, strides, dilations, pads, larger }) => {
				// Large enough for one window without padding, and for a transposed one with all its padding cut off.
				const cut = op === 'Conv' ? [0, 0] : [pads[0]! + pads[2]!, pads[1]! + pads[3]!]
				const size = kernel.map((each, axis) => (each - 1) * dilations[axis]! + 1 + larger[axis]! + cut[axis]!)
				const test = convolution(
					op,
					[2, group * a, ...size],
					[group * (op === 'Conv' ? b : a), op === 'Conv' ? a : b, ...kernel],
					{
						group,
						strides,
						dilations,
						pads,
					},
				)
				await checkGradient(operatorGraph(op, test.inputs, test.feeds, test.attributes), test.feeds, ['x', 'w', 'b'])
			}),
			{ numRuns: 60 },
		)
	})
})
