/** Weights as arrays, put into a model. */
import { replaceConstants } from '../graph/edit.ts'
import type { Model } from '../model/model.ts'
import { floatsOfFeed } from '../model/predict.ts'
import type { Feed } from '../runtime/runtime.ts'

/** `model` with the initializers that `weights` names replaced; their shapes stay. */
export function withWeights(model: Model, weights: Readonly<Record<string, Feed>>): Model {
	const changed = Object.entries(weights).flatMap(([name, feed]) => {
		const old = model.graph.initializers.get(name)
		const values = floatsOfFeed(feed)
		const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
		return old ? [[name, { ...old, bytes }] as const] : []
	})
	return { ...model, graph: replaceConstants(model.graph, new Map(changed)) }
}
