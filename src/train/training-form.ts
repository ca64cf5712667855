/** A classifier's graph as it runs in training: batch normalization over the batch at hand, and up to the logits only. */
import { UnsupportedError } from '../errors.ts'
import { extract } from '../graph/edit.ts'
import { restateForGradient } from '../graph/gradient/restate.ts'
import { type Graph, type Node, nodeName } from '../graph/graph.ts'
import { freshName, valueNames } from '../graph/query.ts'
import type { Model } from '../model/model.ts'
import { poolFirst } from './pool-first.ts'

export interface TrainingForm {
	/** From the model's input to its logits; running statistics are further outputs. */
	readonly graph: Graph
	/** Running statistic (an initializer) → the output that is its next value. */
	readonly statistics: ReadonlyMap<string, string>
}

/**
 * Share of the old running mean and variance that stays at each step: PyTorch's default and ONNX' own. Keras' 0.99 needs thousands of steps until
 * the statistics of the start are forgotten.
 */
const KEPT = 0.9

/** The training form of `model`. Dropout stays as it is in the graph: off. @throws UnsupportedError `shared-constants` */
export function trainingForm(model: Model): TrainingForm {
	const { graph, logits } = model
	// Restated: `training_mode` exists since opset 14.
	const forward = poolFirst(restateForGradient(extract(graph, [model.values.get(logits)!])))
	checkOwnStatistics(forward)
	const taken = valueNames(forward)
	const statistics = new Map<string, string>()
	const nodes = forward.nodes.map((node) => {
		if (!isMeasuring(node, forward)) return node
		const [mean, variance] = node.inputs.slice(3) as [string, string]
		const outputs = [mean, variance].map((name) => {
			const next = freshName(taken, `next/${name}`)
			taken.add(next)
			statistics.set(name, next)
			return next
		})
		return trainingNode(node, outputs)
	})
	return { graph: { ...forward, nodes }, statistics }
}

/**
 * Exporters may store equal arrays once: a fresh net's zeros serve as shift and mean. Training would then change one through the other.
 * @throws UnsupportedError `shared-constants`
 */
function checkOwnStatistics(graph: Graph): void {
	const sourceOf = new Map<string, string>()
	for (const { op, inputs, outputs } of graph.nodes) {
		if (op === 'Identity') sourceOf.set(outputs[0]!, sourceOf.get(inputs[0]!) ?? inputs[0]!)
	}
	const uses = new Map<string, number>()
	const reads = graph.nodes.flatMap(({ op, inputs }) => (op === 'Identity' ? [] : inputs))
	for (const name of reads.map((each) => sourceOf.get(each) ?? each)) uses.set(name, (uses.get(name) ?? 0) + 1)
	for (const node of graph.nodes.filter(({ op }) => op === 'BatchNormalization')) {
		const shared = node.inputs.slice(3).find((name) => uses.get(sourceOf.get(name) ?? name)! > 1)
		if (shared === undefined) continue
		const layer = nodeName(node)
		const message = `${layer}: its statistics ${shared} serve elsewhere, too, so they cannot be measured anew; export the model without merging equal constants`
		throw new UnsupportedError('shared-constants', message, { layer })
	}
}

/** Its statistics are stored, so that they can be measured anew. */
function isMeasuring({ op, inputs }: Node, { initializers }: Graph): boolean {
	return op === 'BatchNormalization' && inputs.slice(3).every((name) => initializers.has(name))
}

function trainingNode(node: Node, statistics: readonly string[]): Node {
	return {
		...node,
		outputs: [node.outputs[0]!, ...statistics],
		attributes: {
			...node.attributes,
			momentum: { type: 'float', value: KEPT },
			training_mode: { type: 'int', value: 1n },
		},
	}
}
