/**
 * Quarantine: labels that are never answered, because a detector found them suspect. `score` is 1 for them and 0 for others. It stops every
 * attack on these labels, and costs every clean image of them.
 */
import { InputError, UsageError } from '../../errors.ts'
import { floatTensor } from '../../graph/graph.ts'
import type { Model } from '../../model/model.ts'
import type { Guard } from './guard.ts'

/**
 * The guard that rejects what B answers with one of `labels`, however often that is on clean images.
 *
 * @param labels 0..C−1
 * @throws InputError `label-out-of-range`; UsageError `no-labels` for none
 */
export function quarantine({ classes, source }: Model, labels: readonly number[]): Guard {
	const bad = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes)
	if (bad !== undefined) {
		const message = `${source.path}: expected labels 0..${classes - 1} to quarantine (the net has ${classes} classes), found ${bad}`
		throw new InputError('label-out-of-range', message, { path: source.path })
	}
	if (labels.length === 0) throw new UsageError('no-labels', 'expected labels to quarantine, found none')
	const suspect = new Set(labels)
	const table = Float32Array.from({ length: classes }, (_, label) => (suspect.has(label) ? 1 : 0))
	return {
		kind: 'quarantine',
		nets: [],
		parameters: { labels: [...suspect] },
		threshold: 0,
		highest: 1,
		writeScore: (tape, { badnet }) =>
			tape.emit('Gather', [tape.constant(floatTensor([classes], table)), badnet.label], { axis: 0 }),
	}
}
