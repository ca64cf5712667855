/** A classifier's graph as it runs, up to its logits, for what differentiates it without changing its statistics. */
import { extract } from '../graph/edit.ts'
import { restateForGradient } from '../graph/gradient/restate.ts'
import type { Model } from '../model/model.ts'
import { poolFirst } from './pool-first.ts'
import type { TrainingForm } from './training-form.ts'

/** `model` from its input to its logits. Batch normalization uses its running statistics, and none is measured anew. */
export function inferenceForm({ graph, logits, values }: Model): TrainingForm {
	return { graph: poolFirst(restateForGradient(extract(graph, [values.get(logits)!]))), statistics: new Map() }
}
