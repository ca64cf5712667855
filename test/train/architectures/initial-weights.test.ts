import { describe, expect, it } from 'vitest'
import { layersOf } from '../../../src/train/architectures/index.ts'
import { drawWeights } from '../../../src/train/architectures/initial-weights.ts'

const COLOUR = { height: 32, width: 32, channels: 3 }

/** The numbers of weight `role` of layer `name`. */
function valuesOf(layers: ReturnType<typeof drawWeights>, name: string, role = 'kernel'): Float32Array {
	return layers.find((layer) => layer.name === name)!.weights.find((weight) => weight.role === role)!.values
}

function deviation(values: Float32Array): number {
	return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

describe('drawWeights', () => {
	const small = drawWeights(layersOf('small-cnn', COLOUR, 10), 1)

	it('gives convolutions the variance 2 / fan-in of He et al., within 5 %, and nothing beyond the cut', () => {
		const values = valuesOf(small, 'conv_3')
		const expected = Math.sqrt(2 / (9 * 64))
		expect(deviation(values) / expected).toBeCloseTo(1, 1.3)
		expect(values.reduce((a, b) => Math.max(a, b))).toBeLessThan((2 / 0.8796) * expected)
	})

	it('gives dense layers the uniform range √(6 / (fan-in + fan-out)) of Glorot and Bengio', () => {
		const values = valuesOf(small, 'fc_1')
		const limit = Math.sqrt(6 / (1024 + 128))
		expect(values.reduce((a, b) => Math.max(a, b))).toBeLessThan(limit)
		expect(values.reduce((a, b) => Math.max(a, b))).toBeGreaterThan(0.999 * limit)
		expect(deviation(values) / (limit / Math.sqrt(3))).toBeCloseTo(1, 1.5)
	})

	it("begins as the lab's net does: 0.01, cut off at two deviations", () => {
		const layers = drawWeights(layersOf('deepid', { height: 55, width: 47, channels: 3 }, 1283), 1)
		expect(deviation(valuesOf(layers, 'output')) / 0.008_796).toBeCloseTo(1, 1.5)
		expect(valuesOf(layers, 'output').reduce((a, b) => Math.max(a, b))).toBeLessThan(0.02)
	})

	it('counts the fan-in of a depthwise filter as that of one channel', () => {
		const layers = drawWeights(layersOf('mobilenetv2-small', COLOUR, 10), 1)
		const values = valuesOf(layers, 'unit_7_1_depthwise', 'depthwise_kernel')
		expect(deviation(values) / Math.sqrt(2 / 9)).toBeCloseTo(1, 1)
	})

	it('begins biases at 0, and normalization as the identity', () => {
		const layers = drawWeights(layersOf('vgg11-bn', COLOUR, 10).slice(0, 3), 1)
		const begins = { gamma: 1, beta: 0, moving_mean: 0, moving_variance: 1 }
		for (const [role, value] of Object.entries(begins)) {
			expect(new Set(valuesOf(layers, 'bn_1_1', role))).toEqual(new Set([value]))
		}
		expect(new Set(valuesOf(layers, 'conv_1_1', 'bias'))).toEqual(new Set([0]))
	})

	it('gives the same numbers for the same seed on every machine: stored from one', () => {
		expect([...valuesOf(small, 'conv_1').slice(0, 3), ...valuesOf(small, 'fc_1').slice(0, 2)]).toMatchInlineSnapshot(`
			[
			  0.5620604157447815,
			  -0.05015468969941139,
			  -0.16057106852531433,
			  0.03876112028956413,
			  0.0347319021821022,
			]
		`)
	})

	it('gives every weight numbers of its own, and other numbers for another seed', () => {
		const other = drawWeights(layersOf('small-cnn', COLOUR, 10), 2)
		const firsts = [small, other].flatMap((layers) =>
			['conv_1', 'conv_2', 'conv_3', 'fc_1', 'output'].map((name) => valuesOf(layers, name)[0]!),
		)
		expect(new Set(firsts).size).toBe(10)
	})
})
