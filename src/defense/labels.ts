/** What the labels of a set mean: classes of clean images, or the target (or the true classes) of poisoned ones. */
import type { ImageSet } from '../data/image-set.ts'
import { InputError } from '../errors.ts'

/** @throws InputError `label-out-of-range` when a label is not in 0..classes−1; says so if they seem to be counted from one */
export function checkLabels({ labels, path }: ImageSet, classes: number): void {
	const bad = labels?.find((label) => label < 0 || label >= classes)
	if (!labels || bad === undefined) return
	const isFromOne = labels.every((label) => label >= 1 && label <= classes)
	const hint = isFromOne
		? 'they seem to be counted from one: subtract 1 from each'
		: 'these images may belong to another model'
	const message = `${path}: expected labels 0..${classes - 1} (the model has ${classes} classes), found ${bad}; ${hint}`
	throw new InputError('label-out-of-range', message, { path })
}

/** A poisoned set, understood. */
export interface PoisonedLabels {
	/** The attacker's label. */
	readonly target: number
	/** The true classes, or null where the file holds target labels (as the CSAW files do) or none. */
	readonly trueLabels: Int32Array | null
}

/**
 * Understands a poisoned set for a model of `classes` classes.
 *
 * @param target the attacker's label, where the set does not tell it by having this one label only
 * @throws InputError `no-target`, `label-out-of-range`, `empty-set` where every image is of the target class
 */
export function checkPoisoned(images: ImageSet, classes: number, target?: number): PoisonedLabels {
	checkLabels(images, classes)
	const known = readPoisonedLabels(images, target)
	const { path } = images
	if (!Number.isInteger(known.target) || known.target < 0 || known.target >= classes) {
		const message = `target ${known.target} is no class of the model: expected 0..${classes - 1}`
		throw new InputError('label-out-of-range', message, { path })
	}
	if (known.trueLabels?.every((label) => label === known.target)) {
		const message = `${path}: every image is of the target class ${known.target}; none can show an attack`
		throw new InputError('empty-set', message, { path })
	}
	return known
}

/** Labels are the target where all are equal, or true ones if `target` tells the target apart. */
function readPoisonedLabels({ labels, path }: ImageSet, target?: number): PoisonedLabels {
	const first = labels?.[0]
	const isOneLabel = labels?.every((label) => label === first) ?? false
	if (target !== undefined) return { target, trueLabels: isOneLabel && first === target ? null : labels }
	if (isOneLabel && first !== undefined) return { target: first, trueLabels: null }
	const found = labels ? `labels of ${new Set(labels).size} classes` : 'no labels'
	const message = `${path}: expected a poisoned set whose labels are all the target, found ${found}; name the target with --target T`
	throw new InputError('no-target', message, { path })
}
