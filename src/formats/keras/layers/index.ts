/** Every supported Keras layer, by class name. What is not here is refused by name. */
import { UnsupportedError } from '../../../errors.ts'
import type { KerasLayer } from '../architecture.ts'
import { activationLayers } from './activation.ts'
import type { LayerTable, Translator } from './context.ts'
import { convolutionLayers } from './convolution.ts'
import { denseLayers } from './dense.ts'
import { mergeLayers } from './merge.ts'
import { normalizationLayers } from './normalization.ts'
import { poolingLayers } from './pooling.ts'
import { shapeLayers } from './shape.ts'

/** Class name → translator; `InputLayer` and nested models are dealt with before. */
const LAYERS: LayerTable = {
	...convolutionLayers,
	...poolingLayers,
	...denseLayers,
	...mergeLayers,
	...normalizationLayers,
	...activationLayers,
	...shapeLayers,
}

/** Why a class is refused, where there is more to say than that it is unknown. */
const REASONS: Readonly<Record<string, string>> = {
	Lambda: 'it holds Python code, which goodnet never decodes or runs',
	TFOpLambda: 'it holds a TensorFlow function',
	Merge: 'it is of Keras 1: save the model with Keras 2',
}

/** The translator of `layer`. Throws `UnsupportedError` (`unsupported-layer`). */
export function translatorOf(layer: KerasLayer): Translator {
	const { className, name } = layer
	const translator = Object.hasOwn(LAYERS, className) ? LAYERS[className] : undefined
	if (translator) return translator
	const reason = Object.hasOwn(REASONS, className) ? `: ${REASONS[className]}` : ''
	throw new UnsupportedError(
		'unsupported-layer',
		`layer ${name}: layers of class ${className} are not supported${reason}`,
		{ layer: name },
	)
}
