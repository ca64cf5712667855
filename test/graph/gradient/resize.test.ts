import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { floatTensor, intTensor } from '../../../src/graph/graph.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import { checkGradient, gradientsOf, operatorGraph, readStored, wave } from '../../helpers/gradients.ts'

function resize(size: readonly number[], attributes: GradientCase['attributes'] = {}): GradientCase {
	const constants = { sizes: intTensor([2, 2, ...size]) }
	return { op: 'Resize', inputs: ['x', '', '', 'sizes'], feeds: { x: wave([2, 2, 4, 5]) }, attributes, constants }
}

const sizes = { '7×10': [7, 10], '2×3': [2, 3] }
const modes = {
	nearest: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
	'nearest-exact': { mode: 'nearest', coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' },
	bilinear: { mode: 'linear', coordinate_transformation_mode: 'half_pixel' },
	'bilinear, corners': { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
	bicubic: { mode: 'cubic', coordinate_transformation_mode: 'half_pixel' },
}

const cases: Record<string, GradientCase> = Object.fromEntries(
	Object.entries(modes).flatMap(([name, attributes]) =>
		Object.entries(sizes).map(([text, size]) => [`resize ${name} to ${text}`, resize(size, attributes)]),
	),
)

describe('gradient of Resize', () => {
	testGradients(cases, readStored(new URL('torch-maps.json', import.meta.url)), {
		runtime: webRuntime(),
		sample: ['resize bilinear to 7×10', 'resize nearest to 2×3'],
	})

	it('agrees with central differences for any mode and scale', async () => {
		const scale = fc.constantFrom(0.5, 0.6, 0.75, 1, 1.3, 1.5, 2, 2.5, 3)
		const mode = fc.constantFrom('nearest', 'linear', 'cubic')
		const coordinates = fc.constantFrom(
			'half_pixel',
			'pytorch_half_pixel',
			'align_corners',
			'asymmetric',
			'half_pixel_symmetric',
		)
		const rounding = fc.constantFrom('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil')
		await fc.assert(
			fc.asyncProperty(
				mode,
				coordinates,
				rounding,
				fc.tuple(scale, scale),
				async (mode, place, nearest_mode, scales) => {
					const feeds = { x: wave([1, 2, 4, 6]) }
					const attributes = { mode, coordinate_transformation_mode: place, nearest_mode }
					const constants = { scales: floatTensor([4], [1, 1, ...scales]) }
					await checkGradient(
						operatorGraph('Resize', ['x', '', 'scales'], feeds, attributes, { constants, opset: 19 }),
						feeds,
						['x'],
					)
				},
			),
			{ numRuns: 80 },
		)
	})

	it('agrees where scales are told for some axes only', async () => {
		const feeds = { x: wave([1, 2, 4, 6]) }
		const constants = { scales: floatTensor([2], [2, 1.5]) }
		const graph = operatorGraph(
			'Resize',
			['x', '', 'scales'],
			feeds,
			{ mode: 'linear', axes: [3, 2] },
			{ constants, opset: 18 },
		)
		await checkGradient(graph, feeds, ['x'])
	})

	it('refuses what it has no matrix for, and says what that is', async () => {
		for (const [attributes, what] of [
			[{ mode: 'linear', antialias: 1 }, 'antialias'],
			[{ keep_aspect_ratio_policy: 'not_larger' }, 'keep_aspect_ratio_policy not_larger'],
		] as const) {
			const { inputs, feeds, constants } = resize([7, 10])
			const graph = operatorGraph('Resize', inputs, feeds, attributes, { constants: constants!, opset: 18 })
			await expect(gradientsOf(graph, feeds, ['x'])).rejects.toMatchObject({
				code: 'no-gradient',
				message: `y (Resize): ${what} has no gradient rule`,
			})
		}
	})
})
