/** Draws the first weights of a net. */
import type { NewKerasLayer, NewKerasWeight } from '../../formats/keras/write.ts'
import { elementCount } from '../../graph/graph.ts'
import { createRandom } from '../../random.ts'
import type { LayerSpec, WeightSpec } from './net.ts'

/** The second part of the names of our streams of random numbers: other uses of the same seed take another. */
const STREAM = 1

/**
 * `layers` with their first weights. The same seed gives the same numbers on every machine; every weight has a stream of its own, named by
 * its place among all weights of the net.
 * @param seed a whole number, 0 to 2³²−1
 */
export function drawWeights(layers: readonly LayerSpec[], seed: number): NewKerasLayer[] {
	let place = 0
	return layers.map(({ weights, ...layer }) => ({
		...layer,
		weights: weights.map((spec) => draw(spec, seed, place++)),
	}))
}

function draw({ role, dims, initializer, fans }: WeightSpec, seed: number, place: number): NewKerasWeight {
	const random = createRandom(seed, STREAM, place)
	const values = new Float32Array(elementCount(dims))
	for (let i = 0; i < values.length; i++) values[i] = initializer.draw(random, fans)
	return { role, dims, values }
}
