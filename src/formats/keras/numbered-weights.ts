/**
 * Weights by number, as Keras 3 keeps them in `.keras` and `.weights.h5`: `layers/conv2d_1/vars/0`, `/1`, … in the order in which the
 * layer made them, trainable ones first. A layer's group is called by its class and its place among the layers of that class, never by
 * its name, which may differ from one session to the next (keras/src/saving/saving_lib.py, `_save_container_state`).
 */
import type { Hdf5File } from './hdf5.ts'
import { type ReadWeights, readWeight, weightsMissing, wrongCount } from './weights.ts'

/** Does `file` keep its weights in this way? */
export function hasNumberedWeights(file: Hdf5File): boolean {
	return file.kindOf('/layers') === 'group'
}

/** A reader of the numbered weights of `file`; `path` is for messages. */
export function numberedWeights(file: Hdf5File, path: string): ReadWeights {
	return (layer, expected) => {
		const group = `${layer.slots.map((slot) => `/layers/${slot}`).join('')}/vars`
		if (file.kindOf(group) !== 'group') throw weightsMissing(layer, `group ${group} is not there`, path)
		const stored = file.keys(group).length
		// The third variable of a Normalization layer counts what it saw while it adapted; nothing is computed with it.
		const own = layer.className === 'Normalization' ? Math.min(stored, expected.length) : stored
		if (own !== expected.length) throw wrongCount(layer, expected, stored, `group ${group}`, path)
		return expected.map((weight, index) => {
			const dataset = `${group}/${index}`
			if (file.kindOf(dataset) !== 'dataset') throw weightsMissing(layer, `dataset ${dataset} is not there`, path)
			return readWeight(file, layer, weight, dataset, path)
		})
	}
}

/** What Keras 3 calls the groups of layers of these classes, in the order of the model: `conv2d`, `conv2d_1`, `batch_normalization`, … */
export function slotNames(classNames: readonly string[]): string[] {
	const used = new Map<string, number>()
	return classNames.map((className) => {
		const name = snakeCase(className)
		const number = used.get(name) ?? 0
		used.set(name, number + 1)
		return number === 0 ? name : `${name}_${number}`
	})
}

/** `BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`, `PReLU` → `p_re_lu` (keras/src/utils/naming.py). */
function snakeCase(className: string): string {
	return className
		.replaceAll(/\W+/g, '')
		.replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
		.replaceAll(/([a-z])([A-Z])/g, '$1_$2')
		.toLowerCase()
}
