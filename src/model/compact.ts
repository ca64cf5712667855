/** A model without the channels that its answer does not need. */
import { compactGraph } from '../graph/compact/compact.ts'
import { describeModel } from './describe.ts'
import type { Model } from './model.ts'

/**
 * `model` with its silenced channels really gone: smaller tensors, same answers up to rounding; see `compactGraph` for what can go.
 * The given model stays as it was. Saved as ONNX, since no other format can hold a net of other shapes than its file's.
 *
 * @returns the same graph where there is nothing to remove
 * @throws UnsupportedError `not-runnable` should the smaller net not run (a fault of ours)
 */
export async function compactModel(model: Model): Promise<Model> {
	const { source, runtime, preprocessing } = model
	// A repair may have added a mask: values that the model's own trial run has not seen.
	const { values } = await describeModel(model.graph, source, runtime, preprocessing)
	const graph = compactGraph(model.graph, values)
	if (graph === model.graph) return model
	return describeModel(graph, { ...source, bytes: null }, runtime, preprocessing)
}
