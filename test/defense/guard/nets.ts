/** A small net with three repaired forms, and what a guard says of images when it is loaded again from its file. */
import type { ImageSet } from '../../../src/data/image-set.ts'
import { type GuardAnswers, guardAnswers } from '../../../src/defense/guard/answers.ts'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import type { Model } from '../../../src/model/model.ts'
import { openModel } from '../../../src/model/open.ts'
import { onnxFile } from '../../../src/model/write-back.ts'
import { logitsOf, modelOf, randomImages } from '../../helpers/models.ts'
import { type CnnShape, PLAIN_SHAPE, randomCnn } from '../../helpers/networks.ts'

export interface Nets {
	readonly badnet: Model
	/** Pruned by 1, 2 and 3 channels, each by others. */
	readonly repaired: readonly Model[]
	readonly images: ImageSet
}

export async function makeNets(over: Partial<CnnShape> = {}, opset = 13): Promise<Nets> {
	const shape = { ...PLAIN_SHAPE, channels: 5, classes: 4, seed: 3, ...over }
	const graph = { ...randomCnn(shape), opsets: new Map([['', opset]]) }
	const badnet = await modelOf(graph)
	const layer = chooseLayer(badnet, 'layer')
	const repaired = [[0], [1, 2], [2, 3, 4]].map((channels) => pruneChannels(badnet, layer, channels))
	return { badnet, repaired, images: randomImages(badnet, 60, shape.seed + 1) }
}

/** The model that a user would get from the file of this one. */
export function reloaded(model: Model): Promise<Model> {
	return openModel(onnxFile(model), { path: 'guard.onnx', sha256: 'test', runtime: model.runtime })
}

export async function answersOfFile(model: Model, images: ImageSet): Promise<GuardAnswers> {
	return guardAnswers(await reloaded(model), images)
}

/** Logits of each image by a net on its own, with the label they give. */
export async function answersOf(model: Model, images: ImageSet): Promise<{ logits: number[]; label: number }[]> {
	const rows = await logitsOf(model, images)
	return rows.map((logits) => ({ logits, label: logits.indexOf(Math.max(...logits)) }))
}

/** The largest of `logits` beside the one at `label`. */
export function largestBeside(logits: readonly number[], label: number): number {
	return Math.max(...logits.filter((_, i) => i !== label))
}
