/**
 * Weights by name, as Keras 1 and 2 keep them, and Keras 3 in `.h5`: one group per layer of the outermost model, which lists the datasets
 * in the attribute `weight_names`. Their order is what counts, their names vary (`conv2d_1_1/kernel:0` in group `conv2d_1`, `_W_1:0` in
 * Keras 1).
 */
import { FormatError } from '../../errors.ts'
import type { KerasLayer } from './architecture.ts'
import type { Hdf5File } from './hdf5.ts'
import { type ReadWeights, readWeight, weightsMissing, wrongCount } from './weights.ts'

/** Attributes larger than 64 KiB are split by Keras into `name0`, `name1`, …; more parts than this nobody has. */
const MAX_PARTS = 1000

/** Where the layer groups of `file` stand: `/model_weights`, `/` in a weights-only file, or undefined. */
export function weightsRoot(file: Hdf5File): string | undefined {
	if (file.kindOf('/model_weights') === 'group') return '/model_weights'
	return readNames(file, '/', 'layer_names') ? '/' : undefined
}

/** A reader of weights below group `root` of `file`; `path` is for messages. */
export function namedWeights(file: Hdf5File, root: string, path: string): ReadWeights {
	return (layer, expected) => {
		const group = `${root === '/' ? '' : root}/${layer.path[0]}`
		if (file.kindOf(group) !== 'group') throw weightsMissing(layer, `group ${group} is not there`, path)
		const names = namesOfLayer(layer, readNames(file, group, 'weight_names') ?? [])
		if (names.length !== expected.length) throw wrongCount(layer, expected, names.length, `group ${group}`, path)
		return expected.map((weight, index) => {
			const dataset = `${group}/${names[index]}`
			if (file.kindOf(dataset) !== 'dataset') throw weightsMissing(layer, `dataset ${dataset} is not there`, path)
			return readWeight(file, layer, weight, dataset, path)
		})
	}
}

/**
 * The names that belong to `layer`: all of its group, or for a layer of a nested model those whose path names it. `count`, which a
 * Normalization layer keeps for its own training, is no weight.
 */
function namesOfLayer(layer: KerasLayer, all: readonly string[]): readonly string[] {
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
