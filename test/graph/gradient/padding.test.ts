import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { intTensor } from '../../../src/graph/graph.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import { checkGradient, gradientsOf, operatorGraph, readStored, wave } from '../../helpers/gradients.ts'

function pad(mode: string, pads: readonly number[], x: readonly number[] = [2, 3, 4, 5]): GradientCase {
	return {
		op: 'Pad',
		inputs: ['x', 'pads'],
		feeds: { x: wave(x) },
		attributes: { mode },
		constants: { pads: intTensor(pads) },
	}
}

const corner = [0, 0, 3, 1, 0, 0, 0, 2]
const cases: Record<string, GradientCase> = {
	'pad with zeros': pad('constant', corner),
	'pad, cutting': pad('constant', [0, 0, 1, -1, 0, 0, -2, 2]),
	'pad reflecting': pad('reflect', corner),
	'pad with the edge': pad('edge', corner),
	'pad wrapping': { ...pad('wrap', corner), opset: 19 },
	'pad with a number': {
		op: 'Pad',
		inputs: ['x', 'pads', 'value'],
		feeds: { x: wave([2, 3]), value: wave([]) },
		constants: { pads: intTensor([1, 0, 0, 2]) },
	},
	'pad along told axes': {
		op: 'Pad',
		inputs: ['x', 'pads', '', 'axes'],
		feeds: { x: wave([2, 3, 4]) },
		constants: { pads: intTensor([1, 0, 0, 2]), axes: intTensor([-1, 0]) },
		opset: 18,
	},
}

describe('gradient of Pad', () => {
	testGradients(cases, readStored(new URL('torch-maps.json', import.meta.url)), {
		runtime: webRuntime(),
		sample: ['pad, cutting', 'pad reflecting'],
	})

	it('agrees with central differences for any mode, size and padding', async () => {
		const size = fc.integer({ min: 3, max: 5 })
		const pads = fc.tuple(...[0, 1, 2, 3].map(() => fc.nat(2)))
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom('constant', 'edge', 'reflect', 'wrap'),
				size,
				size,
				pads,
				async (mode, h, w, each) => {
					const { feeds, constants } = pad(mode, each, [h, w])
					await checkGradient(
						operatorGraph('Pad', ['x', 'pads'], feeds, { mode }, { constants: constants!, opset: 19 }),
						feeds,
						['x'],
					)
				},
			),
			{ numRuns: 25 },
		)
	})

	it('refuses pads that the graph computes', async () => {
		const feeds = { x: wave([2, 3]), pads: { dims: [4], data: BigInt64Array.from([1n, 1n, 0n, 0n]) } }
		await expect(gradientsOf(operatorGraph('Pad', ['x', 'pads'], feeds), feeds, ['x'])).rejects.toMatchObject({
			code: 'no-gradient',
			message: expect.stringContaining('operand pads must be a constant'),
		})
	})
})
