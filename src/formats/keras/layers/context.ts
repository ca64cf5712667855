/** What a translator of one Keras layer is given, and what it gives back. */
import { FormatError } from '../../../errors.ts'
import type { KerasLayer } from '../architecture.ts'
import type { Flow, GraphBuilder } from '../build.ts'
import type { ReadWeights } from '../weights.ts'

export interface LayerContext {
	/** What the layer's output value must be called. */
	readonly name: string
	readonly layer: KerasLayer
	readonly inputs: readonly Flow[]
	readonly build: GraphBuilder
	readonly kerasMajor: number
	readonly readWeights: ReadWeights
}

/** Adds the nodes of one layer and returns its output, which is called `context.name`. */
export type Translator = (context: LayerContext) => Flow

/** Class name → translator. */
export type LayerTable = Readonly<Record<string, Translator>>

/** The input of a layer that takes exactly one. Throws `FormatError` (`bad-config`). */
export function onlyInput({ layer, inputs }: LayerContext): Flow {
	const [input, ...others] = inputs
	if (input && others.length === 0) return input
	throw new FormatError(
		'bad-config',
		`layer ${layer.name} (${layer.className}): expected one input, found ${inputs.length}`,
		{ layer: layer.name },
	)
}

/** Keras' axis (the batch is axis 0, negative counts from the end) → axis of the ONNX value. Throws `FormatError` (`bad-config`). */
export function storedAxis(axis: number, flow: Flow, layer: KerasLayer): number {
	const rank = flow.shape.length + 1
	const positive = axis < 0 ? axis + rank : axis
	if (positive < 0 || positive >= rank) {
		throw new FormatError('bad-config', `layer ${layer.name}: expected an axis of ${rank}, found ${axis}`, {
			layer: layer.name,
		})
	}
	return flow.layout === 'nchw' ? ([0, 2, 3, 1][positive] as number) : positive
}
