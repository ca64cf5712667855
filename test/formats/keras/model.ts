/** Small Keras models, built in the test from parts. */
import { parseArchitecture } from '../../../src/formats/keras/calls.ts'
import { translate } from '../../../src/formats/keras/translate.ts'
import type { ReadWeights } from '../../../src/formats/keras/weights.ts'
import { elementCount, type Graph } from '../../../src/graph/graph.ts'
import { type NdArray, run } from './run.ts'

/** The weights of each layer, by its name, in Keras' order. */
export type Weights = Readonly<Record<string, readonly NdArray[]>>

/** Numbers that differ from one another, of both signs, the same every time. */
export function numbers(...dims: number[]): NdArray {
	const values = Float32Array.from(
		{ length: elementCount(dims) },
		(_, index) => Math.sin(index * 1.7 + dims.length) * 2,
	)
	return { dims, values }
}

/** A reader over `weights` that holds the translator to the shapes it announced. */
function reader(weights: Weights): ReadWeights {
	return (layer, expected) => {
		const own = weights[layer.name] ?? []
		if (own.length !== expected.length)
			throw new Error(`${layer.name}: ${expected.length} weights asked for, ${own.length} given`)
		return expected.map(({ role, dims }, index) => {
			const { dims: stored, values } = own[index] as NdArray
			const fits = stored.length === dims.length && dims.every((size, axis) => size === null || size === stored[axis])
			if (!fits) throw new Error(`${layer.name}/${role}: [${dims}] asked for, [${stored}] given`)
			return { dataset: `/${layer.name}/${role}`, dims: stored, values: Float32Array.from(values) }
		})
	}
}

/** The graph of any `model_config`. */
export function graphOf(config: unknown, weights: Weights = {}, version?: string): Graph {
	return translate(parseArchitecture(config, version), reader(weights))
}

/** A Sequential model: `layers` are `[class_name, config]`; the first is given `shape` (without batch). */
export function sequential(
	shape: readonly (number | null)[],
	layers: readonly (readonly [string, object])[],
	weights: Weights = {},
	version = '2.4.0',
): Graph {
	const config = layers.map(([class_name, settings], index) => ({
		class_name,
		config: { name: `layer_${index}`, ...settings, ...(index === 0 && { batch_input_shape: [null, ...shape] }) },
	}))
	return graphOf({ class_name: 'Sequential', config }, weights, version)
}

/** What one layer of `className` makes of `input` (`dims` with the batch). */
export async function runLayer(
	className: string,
	config: object,
	input: NdArray,
	weights: readonly NdArray[] = [],
	version?: string,
): Promise<NdArray> {
	const graph = sequential(input.dims.slice(1), [[className, config]], { layer_0: weights }, version)
	const [output] = await run(graph, [input])
	return output as NdArray
}

/** `input` with its axes in the order `perm`, as numpy's `transpose`, by plain counting. */
export function transposed(input: NdArray, perm: readonly number[]): NdArray {
	const dims = perm.map((axis) => input.dims[axis] as number)
	const values = new Float32Array(input.values.length)
	for (let index = 0; index < values.length; index++) {
		const place = unravel(index, dims)
		const source = input.dims.map((_, axis) => place[perm.indexOf(axis)] as number)
		values[index] = input.values[ravel(source, input.dims)] as number
	}
	return { dims, values }
}

/** Position of element `index` in an array of shape `dims`. */
export function unravel(index: number, dims: readonly number[]): number[] {
	const place: number[] = []
	let rest = index
	for (const size of dims.toReversed()) {
		place.unshift(rest % size)
		rest = Math.floor(rest / size)
	}
	return place
}

/** Index of the element at `place`. */
export function ravel(place: readonly number[], dims: readonly number[]): number {
	return place.reduce((index, at, axis) => index * (dims[axis] as number) + at, 0)
}
