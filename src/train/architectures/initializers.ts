/** Where weights begin, in Keras' terms, so that the file says how it was initialised and Keras would do the same. */
import type { JsonObject } from '../../formats/keras/json.ts'
import type { Random } from '../../random.ts'
import { TRUNCATED_DEVIATION, truncatedNormal } from '../../truncated-normal.ts'

/** How many numbers enter one output of a layer, and how many outputs one of its inputs enters. */
export interface Fans {
	readonly in: number
	readonly out: number
}

export interface Initializer {
	/** As Keras' `kernel_initializer` and the like spell it. */
	readonly config: JsonObject
	/** The next number for a layer of these fans. */
	readonly draw: (random: Random, fans: Fans) => number
}

function constant(name: string, value: number): Initializer {
	return { config: { class_name: name, config: {} }, draw: () => value }
}

export const ZEROS = constant('Zeros', 0)
export const ONES = constant('Ones', 1)

/** Normal with variance `2 / fan_in`, cut off at two deviations: keeps the size of signals through ReLUs (He et al. 2015, arXiv:1502.01852, equation 10). */
export const HE_NORMAL: Initializer = {
	config: varianceScaling(2, 'fan_in', 'normal'),
	draw: (random, fans) => (truncatedNormal(random) * Math.sqrt(2 / fans.in)) / TRUNCATED_DEVIATION,
}

/** Uniform with variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010, equation 16). */
export const GLOROT_UNIFORM: Initializer = {
	config: varianceScaling(1, 'fan_avg', 'uniform'),
	draw: (random, fans) => {
		const limit = Math.sqrt(6 / (fans.in + fans.out))
		return random.between(-limit, limit)
	},
}

/** Normal with a deviation of `stddev` before it is cut off at two deviations, whatever the layer. */
export function truncatedNormalOf(stddev: number): Initializer {
	const config = { class_name: 'TruncatedNormal', config: { mean: 0, stddev, seed: null } }
	return { config, draw: (random) => truncatedNormal(random) * stddev }
}

function varianceScaling(scale: number, mode: 'fan_in' | 'fan_avg', distribution: 'normal' | 'uniform'): JsonObject {
	return { class_name: 'VarianceScaling', config: { scale, mode, distribution, seed: null } }
}
