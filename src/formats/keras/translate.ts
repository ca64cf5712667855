/** `KerasArchitecture` and weights → `Graph`. */
import { FormatError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import type { KerasArchitecture } from './architecture.ts'
import { type Flow, GraphBuilder } from './build.ts'
import { translatorOf } from './layers/index.ts'
import type { ReadWeights } from './weights.ts'

/** Refuses a model with a layer that has no translator, before any weight is read. Throws `UnsupportedError` (`unsupported-layer`). */
export function assertSupported(architecture: KerasArchitecture): void {
	for (const { layer } of architecture.calls) translatorOf(layer)
}

/**
 * The ONNX graph of `architecture`: inputs and outputs as in Keras, feature maps NCHW inside. The output of layer `pool_3` is the value
 * `pool_3`, its node has that name too.
 */
export function translate(architecture: KerasArchitecture, readWeights: ReadWeights): Graph {
	const { name, kerasMajor, inputs, calls, outputs } = architecture
	const build = new GraphBuilder([...inputs, ...calls].map((value) => value.name))
	const flows = new Map<string, Flow>(
		inputs.map(({ name, shape }) => [name, build.input(name, shape ?? undeclared(name))]),
	)
	const flowOf = (value: string) => flows.get(value) as Flow
	for (const call of calls) {
		const context = {
			name: call.name,
			layer: call.layer,
			inputs: call.inputs.map(flowOf),
			build,
			kerasMajor,
			readWeights,
		}
		flows.set(call.name, translatorOf(call.layer)(context))
	}
	return build.finish(name, outputs.map(flowOf), kerasMajor)
}

function undeclared(layer: string): never {
	throw new FormatError('bad-config', `layer ${layer}: expected the shape of the model's input, found none`, { layer })
}
