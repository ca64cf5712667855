/** Activation functions as short recipes of ONNX operators: one table, used by fused activations and by activation layers alike. */
import { UnsupportedError } from '../../errors.ts'
import type { AttributeValue } from '../../graph/graph.ts'
import type { KerasLayer } from './architecture.ts'
import type { Flow, GraphBuilder } from './build.ts'
import { isObject } from './json.ts'
import { readNumber } from './settings.ts'

/** `x`: the input; `prev`: the step before; `first`: the first step; a number: that constant. */
type Operand = 'x' | 'prev' | 'first' | number

interface Step {
	readonly op: string
	readonly operands: readonly Operand[]
	readonly attributes: Readonly<Record<string, AttributeValue>>
}

/** An activation function: its steps in order; none at all is the identity. */
export type Activation = readonly Step[]

function step(op: string, operands: readonly Operand[] = ['x'], attributes: Step['attributes'] = {}): Step {
	return { op, operands, attributes }
}

/** `gelu(x) = x * (1 + erf(x / √2)) / 2` (arXiv:1606.08415). */
const GELU: Activation = [
	step('Div', ['x', Math.SQRT2]),
	step('Erf', ['prev']),
	step('Add', ['prev', 1]),
	step('Mul', ['x', 'prev']),
	step('Mul', ['prev', 0.5]),
]

/** `gelu(x) ≈ x * (1 + tanh(√(2/π) * (x + 0.044715 x³))) / 2` (arXiv:1606.08415). */
const GELU_TANH: Activation = [
	step('Mul', ['x', 'x']),
	step('Mul', ['prev', 0.044715]),
	step('Add', ['prev', 1]),
	step('Mul', ['prev', 'x']),
	step('Mul', ['prev', Math.sqrt(2 / Math.PI)]),
	step('Tanh', ['prev']),
	step('Add', ['prev', 1]),
	step('Mul', ['prev', 'x']),
	step('Mul', ['prev', 0.5]),
]

const SWISH: Activation = [step('Sigmoid'), step('Mul', ['x', 'prev'])]

/** Softmax needs the axis of the layout at hand, so `activate` completes it. */
const SOFTMAX: Activation = [step('Softmax')]

const BY_NAME: Readonly<Record<string, Activation>> = {
	linear: [],
	relu: [step('Relu')],
	relu6: [step('Clip', ['x', 0, 6])],
	sigmoid: [step('Sigmoid')],
	tanh: [step('Tanh')],
	softmax: SOFTMAX,
	softplus: [step('Softplus')],
	softsign: [step('Softsign')],
	exponential: [step('Exp')],
	elu: [step('Elu')],
	selu: [step('Selu')],
	leaky_relu: [step('LeakyRelu', ['x'], { alpha: { float: 0.2 } })],
	swish: SWISH,
	silu: SWISH,
	gelu: GELU,
}

/** `0.2 x + 0.5` in Keras 1 and 2, `x / 6 + 0.5` in Keras 3, clipped to 0..1. */
function hardSigmoid(kerasMajor: number): Activation {
	return [step('HardSigmoid', ['x'], { alpha: { float: kerasMajor >= 3 ? 1 / 6 : 0.2 }, beta: { float: 0.5 } })]
}

/** `alpha x` below zero, `x` above. */
function leakyRelu(alpha: number): Activation {
	return [step('LeakyRelu', ['x'], { alpha: { float: alpha } })]
}

/** `alpha (eˣ − 1)` below zero, `x` above. */
function elu(alpha: number): Activation {
	return [step('Elu', ['x'], { alpha: { float: alpha } })]
}

/** Keras' ReLU with all its settings: `slope (x − threshold)` up to the threshold, `x` above, at most `max` (null: no limit). */
function relu(max: number | null, slope: number, threshold: number): Activation {
	const limit = max === null ? [] : [step('Min', ['prev', max])]
	if (threshold === 0 && slope === 0) return max === null ? [step('Relu')] : [step('Clip', ['x', 0, max])]
	if (threshold === 0) return [...leakyRelu(slope), ...limit]
	const above = step('ThresholdedRelu', ['x'], { alpha: { float: threshold } })
	if (slope === 0) return [above, ...limit]
	const below = [step('Sub', ['x', threshold]), step('Min', ['prev', 0]), step('Mul', ['prev', slope])]
	return [above, ...below, step('Add', ['prev', 'first']), ...limit]
}

/** The activation layers that have no weights; the others are in `layers/activation.ts`. */
export function activationOfLayer(layer: KerasLayer): Activation | undefined {
	switch (layer.className) {
		case 'ReLU': {
			const max = layer.config.max_value == null ? null : readNumber(layer, 'max_value', 0)
			return relu(max, readNumber(layer, 'negative_slope', 0), readNumber(layer, 'threshold', 0))
		}
		case 'LeakyReLU':
			return leakyRelu(readNumber(layer, 'negative_slope' in layer.config ? 'negative_slope' : 'alpha', 0.3))
		case 'ThresholdedReLU':
			return relu(null, 0, readNumber(layer, 'theta', 1))
		case 'ELU':
			return elu(readNumber(layer, 'alpha', 1))
		case 'Softmax':
			return SOFTMAX
		default:
			return undefined
	}
}

/**
 * The function in setting `activation` of `layer`: a name, a serialised function (`{ class_name: "function", config: "relu" }`) or a
 * serialised activation layer. Throws `UnsupportedError` (`unsupported-activation`) for all others; no code is decoded.
 */
export function readActivation(layer: KerasLayer, kerasMajor: number): Activation {
	const setting = layer.config.activation ?? 'linear'
	const found = activationOf(setting, layer, kerasMajor)
	if (found) return found
	throw new UnsupportedError(
		'unsupported-activation',
		`layer ${layer.name} (${layer.className}): unsupported activation ${JSON.stringify(setting).slice(0, 80)}`,
		{ layer: layer.name },
	)
}

function activationOf(setting: unknown, layer: KerasLayer, kerasMajor: number): Activation | undefined {
	if (typeof setting === 'string') return activationNamed(setting, kerasMajor)
	if (!isObject(setting) || typeof setting.class_name !== 'string') return undefined
	const { class_name, config } = setting
	if (typeof config === 'string') return activationNamed(config, kerasMajor)
	const settings = isObject(config) ? config : {}
	if (class_name === 'gelu') return settings.approximate === true ? GELU_TANH : GELU
	return (
		activationOfLayer({ ...layer, className: class_name, config: settings }) ?? activationNamed(class_name, kerasMajor)
	)
}

function activationNamed(name: string, kerasMajor: number): Activation | undefined {
	if (name === 'hard_sigmoid') return hardSigmoid(kerasMajor)
	return Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined
}

/** What to call the value before `activation` of layer `name`: `name` itself where nothing follows, logits before a softmax. */
export function beforeActivation(name: string, activation: Activation, build: GraphBuilder): string {
	if (activation.length === 0) return name
	return build.helper(activation === SOFTMAX ? `${name}/logits` : `${name}/linear`)
}

/**
 * Applies `activation` to `x`; the result is called `name`, its last node `nodeName`. The identity adds nothing and returns `x`.
 * `axis`: what a softmax runs over, counted as in the ONNX value; by default Keras' last axis.
 */
export function activate(
	build: GraphBuilder,
	activation: Activation,
	x: Flow,
	name: string,
	nodeName = `${name}/${activation.at(-1)?.op.toLowerCase()}`,
	axis = x.layout === 'nchw' ? 1 : -1,
): Flow {
	let first = x
	let prev = x
	activation.forEach(({ op, operands, attributes }, index) => {
		const isLast = index === activation.length - 1
		const places = { x: x.name, prev: prev.name, first: first.name }
		const inputs = operands.map((operand) => (typeof operand === 'number' ? build.scalar(operand) : places[operand]))
		const output = isLast ? name : build.helper(`${name}/${op.toLowerCase()}`)
		const typed = op === 'Softmax' ? { axis } : attributes
		prev = build.emit(op, inputs, { ...x, name: output }, typed, isLast ? nodeName : output)
		if (index === 0) first = prev
	})
	return prev
}
