/** A layer's weights, read from where a file keeps them and checked against what the layer must have. */
import { InputError } from '../../errors.ts'
import type { KerasLayer, Size } from './architecture.ts'
import { toFloat32 } from './floats.ts'
import type { WeightFile } from './stored.ts'

/** A weight that a layer must have: what it is called, and its shape as stored (null where any size will do). */
export interface ExpectedWeight {
	readonly role: string
	readonly dims: readonly Size[]
}

/** A weight as stored, converted to float32. */
export interface Weight {
	readonly dataset: string
	readonly dims: readonly number[]
	readonly values: Float32Array
}

/** Reads the weights of `layer`, in the order of `expected`. Throws `InputError`: `weights-missing`, `shape-mismatch`, `not-finite`. */
export type ReadWeights = (layer: KerasLayer, expected: readonly ExpectedWeight[]) => Weight[]

/** Weight `dataset` of `layer`. `path` is for messages. Throws `InputError`: `shape-mismatch`, `not-finite`. */
export function readWeight(
	file: WeightFile,
	layer: KerasLayer,
	weight: ExpectedWeight,
	dataset: string,
	path: string,
): Weight {
	const name = layer.name
	const dims = file.dimsOf(dataset)
	if (!fits(dims, weight.dims)) {
		const expected = weight.dims.map((dim) => dim ?? 'any').join(', ')
		throw new InputError(
			'shape-mismatch',
			`${path}: layer ${name}, ${weight.role}: expected shape [${expected}], found [${dims.join(', ')}] in ${dataset}: architecture and weights do not belong together`,
			{ path, layer: name },
		)
	}
	const values = toFloat32(file.readArray(dataset))
	const bad = values.findIndex((value) => !Number.isFinite(value))
	if (bad < 0) return { dataset, dims, values }
	throw new InputError(
		'not-finite',
		`${path}: layer ${name}: expected finite weights, found ${values[bad]} at element ${bad} of ${dataset}`,
		{ path, layer: name },
	)
}

function fits(dims: readonly number[], expected: readonly Size[]): boolean {
	return dims.length === expected.length && expected.every((size, axis) => size === null || size === dims[axis])
}

/** The error for a layer whose weights are not there, or not all; `detail` says what was found where. */
export function weightsMissing(layer: KerasLayer, detail: string, path: string): InputError {
	return new InputError('weights-missing', `${path}: weights of layer ${layer.name} (${layer.className}): ${detail}`, {
		path,
		layer: layer.name,
	})
}

/** The error where a layer has another number of weights than it must have. */
export function wrongCount(
	layer: KerasLayer,
	expected: readonly ExpectedWeight[],
	found: number,
	where: string,
	path: string,
): InputError {
	const roles = expected.map(({ role }) => role).join(', ')
	return weightsMissing(layer, `expected ${expected.length} (${roles}), found ${found} in ${where}`, path)
}
