/**
 * Finds a layer's weights in the file. Keras keeps one group per layer of the outermost model and lists the datasets in the attribute
 * `weight_names`; their order is what counts, their names vary (`conv2d_1_1/kernel:0` in group `conv2d_1`, `_W_1:0` in Keras 1).
 */
import { FormatError, InputError } from '../../errors.ts'
import type { KerasLayer, Size } from './architecture.ts'
import { toFloat32 } from './floats.ts'
import type { Hdf5File } from './hdf5.ts'

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

/** Attributes larger than 64 KiB are split by Keras into `name0`, `name1`, …; more parts than this nobody has. */
const MAX_PARTS = 1000

/** Where the layer groups of `file` stand: `/model_weights`, `/` in a weights-only file, or undefined. */
export function weightsRoot(file: Hdf5File): string | undefined {
	if (file.kindOf('/model_weights') === 'group') return '/model_weights'
	return readNames(file, '/', 'layer_names') ? '/' : undefined
}

/** A reader of weights below group `root` of `file`; `path` is for messages. */
export function weightReader(file: Hdf5File, root: string, path: string): ReadWeights {
	return (layer, expected) => {
		const group = `${root === '/' ? '' : root}/${layer.path[0]}`
		if (file.kindOf(group) !== 'group') throw missing(layer, `group ${group} is not there`, path)
		const names = ownNames(layer, readNames(file, group, 'weight_names') ?? [])
		const roles = expected.map(({ role }) => role).join(', ')
		if (names.length !== expected.length) {
			throw missing(layer, `expected ${expected.length} (${roles}), found ${names.length} in group ${group}`, path)
		}
		return expected.map((weight, index) => readWeight(file, layer, weight, `${group}/${names[index]}`, path))
	}
}

/**
 * The names that belong to `layer`: all of its group, or for a layer of a nested model those whose path names it. `count`, which a
 * Normalization layer keeps for its own training, is no weight.
 */
function ownNames(layer: KerasLayer, all: readonly string[]): readonly string[] {
	const names = all.filter((name) => !/(^|\/)count(:0)?$/.test(name))
	if (layer.path.length === 1) return names
	const own = layer.path.at(-1) as string
	const exact = names.filter((name) => parents(name).includes(own))
	return exact.length > 0 ? exact : names.filter((name) => parents(name).some((parent) => isNumbered(parent, own)))
}

function parents(name: string): string[] {
	return name.split('/').slice(0, -1)
}

/** Whether `candidate` is `name` with a number that Keras appended to keep names apart: `conv2d_1_1` for `conv2d_1`. */
function isNumbered(candidate: string, name: string): boolean {
	return candidate.startsWith(`${name}_`) && /^\d+$/.test(candidate.slice(name.length + 1))
}

/** The strings of attribute `name`, joined from its parts where Keras split it. */
function readNames(file: Hdf5File, group: string, name: string): string[] | undefined {
	const whole = file.strings(group, name)
	if (whole) return whole
	const first = file.strings(group, `${name}0`)
	if (!first) return undefined
	const names = [...first]
	for (let part = 1; part < MAX_PARTS; part++) {
		const more = file.strings(group, `${name}${part}`)
		if (!more) return names
		names.push(...more)
	}
	throw new FormatError('bad-config', `attribute ${name} of ${group} has more than ${MAX_PARTS} parts`)
}

function readWeight(file: Hdf5File, layer: KerasLayer, weight: ExpectedWeight, dataset: string, path: string): Weight {
	const name = layer.name
	if (file.kindOf(dataset) !== 'dataset') throw missing(layer, `dataset ${dataset} is not there`, path)
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

function missing(layer: KerasLayer, detail: string, path: string): InputError {
	return new InputError('weights-missing', `${path}: weights of layer ${layer.name} (${layer.className}): ${detail}`, {
		path,
		layer: layer.name,
	})
}
