/** A small net with a backdoor, clean data for it, and how a method is called on them. */
import { memoryImages } from '../../../src/data/memory.ts'
import type { RepairContext, RepairData, RepairMethod } from '../../../src/defense/repair/method.ts'
import { parameterValues } from '../../../src/defense/repair/parameters.ts'
import { floatsOf } from '../../../src/graph/graph.ts'
import { imageSet, trainSubject } from '../../../src/lab/subject.ts'
import type { Model } from '../../../src/model/model.ts'
import type { TrainingImages } from '../../../src/train/batches.ts'
import { SIZE, stripes } from '../../helpers/pictures.ts'
import { planOf } from '../../lab/subjects.ts'
import { images as wavyImages } from '../../train/small-net.ts'

/** Trained on stripes with a white square in a corner of some; target 0. Learns in a second or two. */
export function smallBadNet() {
	return trainSubject(planOf('badnets', { target: 0, size: 4 }, { rate: 0.15 }))
}

/** Stripes that the net has not seen. */
export const data: RepairData = {
	tuning: { ...stripes(40, 3), ...SIZE },
	valid: imageSet('valid', stripes(25, 4), SIZE),
	unlabeled: null,
}

/** Data for the net of small-net.ts: what it is tuned on is also what it is judged by. */
export const wavyData: RepairData = {
	tuning: wavyImages as TrainingImages,
	valid: memoryImages({ ...wavyImages, path: 'waves', layout: 'NHWC', classNames: null }),
	unlabeled: null,
}

/** Runs `method` with its defaults but for `told`. */
export function repairWith(
	method: RepairMethod,
	model: Model,
	sets: RepairData,
	told: Readonly<Record<string, number | string>> = {},
	context: Partial<RepairContext> = {},
) {
	return method.repair(model, sets, {
		seed: 1,
		...context,
		parameters: parameterValues(method.parameters, told, method.name),
	})
}

/** Every weight of a net, by name. */
export function weightsOf({ graph }: Model): Record<string, Float32Array> {
	const floats = [...graph.initializers].filter(([, { dtype }]) => dtype === 'float32')
	return Object.fromEntries(floats.map(([name, tensor]) => [name, floatsOf(tensor)]))
}
