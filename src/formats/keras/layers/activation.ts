/** Activation layers, and those that do nothing when a model is not being trained. */
import { UnsupportedError } from '../../../errors.ts'
import { activate, activationOfLayer, readActivation } from '../activations.ts'
import type { Flow } from '../build.ts'
import { readIntegers } from '../settings.ts'
import type { Weight } from '../weights.ts'
import { type LayerContext, type LayerTable, onlyInput, storedAxis } from './context.ts'

/** The layer's value exists under its own name even where it changes nothing, so that it can be asked for by that name. */
function identity(context: LayerContext): Flow {
	const input = onlyInput(context)
	return context.build.emit('Identity', [input.name], { ...input, name: context.name })
}

function activation(context: LayerContext): Flow {
	const { layer, build, name, kerasMajor } = context
	const steps = readActivation(layer, kerasMajor)
	return steps.length === 0 ? identity(context) : activate(build, steps, onlyInput(context), name, name)
}

function activationLayer(context: LayerContext): Flow {
	const { layer, build, name } = context
	return activate(build, activationOfLayer(layer) ?? [], onlyInput(context), name, name)
}

function softmax(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = onlyInput(context)
	const [axis, ...others] = readIntegers(layer, 'axis', -1)
	if (axis === undefined || others.length > 0) {
		throw new UnsupportedError('unsupported-layer', `layer ${layer.name}: softmax over one axis only`, {
			layer: layer.name,
		})
	}
	return activate(build, activationOfLayer(layer) ?? [], input, name, name, storedAxis(axis, input, layer))
}

/** Slopes as stored: one per element, or 1 along shared axes; turned with the channels where the input is. */
function prelu(context: LayerContext): Flow {
	const { layer, build, name, readWeights } = context
	const input = onlyInput(context)
	const shared = layer.config.shared_axes == null ? [] : readIntegers(layer, 'shared_axes')
	const dims = input.shape.map((size, axis) => (shared.includes(axis + 1) ? 1 : size))
	const [alpha] = readWeights(layer, [{ role: 'alpha', dims }])
	const placement = input.layout === 'nchw' ? { perm: [2, 0, 1] } : {}
	const slope = build.weight(`${layer.name}/alpha`, alpha as Weight, placement)
	return build.emit('PRelu', [input.name, slope], { ...input, name })
}

export const activationLayers: LayerTable = {
	Activation: activation,
	ReLU: activationLayer,
	LeakyReLU: activationLayer,
	ThresholdedReLU: activationLayer,
	ELU: activationLayer,
	Softmax: softmax,
	PReLU: prelu,
	Dropout: identity,
	SpatialDropout2D: identity,
	GaussianNoise: identity,
	GaussianDropout: identity,
	AlphaDropout: identity,
	ActivityRegularization: identity,
}
