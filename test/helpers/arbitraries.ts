/** Generators of random test subjects for fast-check. */
import fc from 'fast-check'
import type { CnnShape } from './networks.ts'

/** Shapes of small nets: every combination of layers between convolution and pooling. */
export const cnnShape: fc.Arbitrary<CnnShape> = fc.record({
	size: fc.constantFrom(4, 6),
	colours: fc.constantFrom(1, 3),
	channels: fc.integer({ min: 2, max: 6 }),
	classes: fc.integer({ min: 2, max: 5 }),
	normalize: fc.boolean(),
	activation: fc.constantFrom('Relu', 'Sigmoid', 'LeakyRelu', 'Elu'),
	pooling: fc.constantFrom('MaxPool', 'AveragePool'),
	residual: fc.boolean(),
	seed: fc.nat(),
})
