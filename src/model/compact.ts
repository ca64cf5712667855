/** A model without the channels that its answer does not need. */
import { type Compaction, compactGraph } from '../graph/compact/compact.ts'
import { describeModel } from './describe.ts'
import type { Model } from './model.ts'

/**
 * `model` with its silenced channels really gone: smaller tensors, same answers up to rounding; see `compactGraph` for what can go.
 * The given model stays as it was, and is what comes back where there is nothing to remove. Saved as ONNX: the file that the model came
 * from has no place for tensors of other shapes.
 */
export async function compactModel(model: Model): Promise<Model> {
	return (await compactWithDetails(model)).model
}

/** What became of each value's channels. */
export type CompactDetails = Pick<Compaction, 'layouts' | 'constants'>

/** The compact model, and what became of each value's channels. */
export async function compactWithDetails(
	model: Model,
): Promise<{ readonly model: Model; readonly details: CompactDetails }> {
	const { source, runtime, preprocessing } = model
	// A repair may have added a mask: values that the model's own trial run has not seen.
	const { values } = await describeModel(model.graph, source, runtime, preprocessing)
	const { graph, ...details } = compactGraph(model.graph, values)
	const isSmaller = graph !== model.graph
	return {
		model: isSmaller ? await describeModel(graph, { ...source, bytes: null }, runtime, preprocessing) : model,
		details,
	}
}
