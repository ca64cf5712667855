/** BatchNormalization (Ioffe & Szegedy, arXiv:1502.03167), LayerNormalization (arXiv:1607.06450) and InstanceNormalization. */
import { UnsupportedError } from '../../errors.ts'
import { attributeFloat, attributeInt, elementCount, floatTensor, type Node, nodeName } from '../graph.ts'
import type { Backstep, GradientRules } from './rule.ts'
import type { Shape, Tape } from './tape.ts'

/** ONNX' own default. */
const DEFAULT_EPSILON = 1e-5

export const normalizationRules: GradientRules = {
	BatchNormalization: (step) =>
		attributeInt(step.node, 'training_mode', 0) === 1 ? batchStatistics(step) : knownStatistics(step),

	LayerNormalization: (step) => {
		const { node, tape, gradient } = step
		expectAlone(step, 'mean and deviation have no gradient rule')
		const [x, scale, shift] = node.inputs as [string, string, string | undefined]
		const shape = tape.shapeOf(x)
		const first = attributeInt(node, 'axis', -1)
		const axes = axesFrom(shape, first < 0 ? first + shape.length : first)
		const scaleShape = tape.shapeOf(scale)
		const ones = tape.constant(floatTensor(scaleShape, Array(elementCount(scaleShape)).fill(1)))
		const [normalized, , inverse] = tape.againMany(node, [x, ones], 3) as [string, string, string]
		const scaled = tape.emit('Mul', [gradient, scale])
		return [
			step.isWanted(0) ? throughNormalization(tape, scaled, normalized, inverse, axes) : undefined,
			step.isWanted(1) ? tape.sumTo(tape.emit('Mul', [gradient, normalized]), shape, scaleShape) : undefined,
			shift && step.isWanted(2) ? tape.sumTo(gradient, shape, tape.shapeOf(shift)) : undefined,
		]
	},

	InstanceNormalization: (step) => {
		const { node, tape, gradient } = step
		const [x, scale] = node.inputs as [string, string]
		const shape = tape.shapeOf(x)
		const axes = axesFrom(shape, 2)
		const centred = tape.emit('Sub', [x, tape.reduce('ReduceMean', x, axes, true)])
		const variance = tape.reduce('ReduceMean', tape.emit('Mul', [centred, centred]), axes, true)
		const inverse = inverseDeviation(tape, node, variance)
		const normalized = tape.emit('Mul', [centred, inverse])
		const scaled = tape.emit('Mul', [gradient, alongChannels(tape, scale, shape)])
		return [
			step.isWanted(0) ? throughNormalization(tape, scaled, normalized, inverse, axes) : undefined,
			step.isWanted(1) ? sumByChannel(tape, tape.emit('Mul', [gradient, normalized]), shape) : undefined,
			step.isWanted(2) ? sumByChannel(tape, gradient, shape) : undefined,
		]
	},
}

/** `inverse · (g − mean(g) − normalized · mean(g · normalized))`, means over `axes` (Ba et al., supplement). */
function throughNormalization(
	tape: Tape,
	gradient: string,
	normalized: string,
	inverse: string,
	axes: readonly number[],
): string {
	const mean = tape.reduce('ReduceMean', gradient, axes, true)
	const along = tape.reduce('ReduceMean', tape.emit('Mul', [gradient, normalized]), axes, true)
	const rest = tape.emit('Sub', [tape.emit('Sub', [gradient, mean]), tape.emit('Mul', [normalized, along])])
	return tape.emit('Mul', [rest, inverse])
}

/** `y = scale · (x − mean) / √(variance + ε) + shift` with mean and variance as operands: linear in `x`. */
function knownStatistics(step: Backstep) {
	const { node, tape, gradient, isWanted } = step
	const [x, scale, , mean, variance] = node.inputs as [string, string, string, string, string]
	const shape = tape.shapeOf(x)
	const inverse = inverseDeviation(tape, node, variance)
	const slope = tape.emit('Mul', [scale, inverse])
	const sum = isWanted(2) || isWanted(3) ? sumByChannel(tape, gradient, shape) : undefined
	const dx = isWanted(0) ? affine(tape, gradient, slope, undefined, shape) : undefined
	if (!isWanted(1) && !isWanted(4))
		return [dx, undefined, sum, isWanted(3) ? meanGradient(tape, sum!, slope) : undefined]
	const centred = tape.emit('Sub', [x, alongChannels(tape, mean, shape)])
	const dscale = tape.emit('Mul', [sumByChannel(tape, tape.emit('Mul', [gradient, centred]), shape), inverse])
	return [
		dx,
		dscale,
		sum,
		isWanted(3) ? meanGradient(tape, sum!, slope) : undefined,
		isWanted(4) ? varianceGradient(tape, dscale, slope, inverse) : undefined,
	]
}

function meanGradient(tape: Tape, sum: string, slope: string): string {
	return tape.emit('Neg', [tape.emit('Mul', [sum, slope])])
}

/** `−½ · dscale · scale / (variance + ε)` */
function varianceGradient(tape: Tape, dscale: string, slope: string, inverse: string): string {
	return tape.emit('Mul', [tape.emit('Mul', [tape.emit('Mul', [dscale, slope]), inverse]), tape.scalar(-0.5)])
}

/** @throws UnsupportedError `no-gradient` where the loss reads more than the normalized values */
function expectAlone({ node, gradients }: Backstep, reason: string): void {
	if (gradients.slice(1).every((each) => each === undefined)) return
	const layer = nodeName(node)
	throw new UnsupportedError('no-gradient', `${layer} (${node.op}): ${reason}, but the loss reads them`, { layer })
}

/**
 * The training form, whose mean and variance come from `x` itself (Ioffe & Szegedy, section 3). With `M` elements in a channel,
 * `dx = slope · (dy − dshift / M − x̂ · dscale / M)`, which is `slope · dy + b · x + c` with `b` and `c` one number a channel: three passes
 * over the map.
 */
function batchStatistics(step: Backstep) {
	const { node, tape, gradient, isWanted } = step
	expectAlone(step, 'running statistics have no gradient')
	const [x, scale] = node.inputs as [string, string]
	const shape = tape.shapeOf(x)
	const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
	const mean = tape.reduce('ReduceMean', x, axes, false)
	const centred = tape.emit('Sub', [x, alongChannels(tape, mean, shape)])
	const variance = tape.reduce('ReduceMean', tape.emit('Mul', [centred, centred]), axes, false)
	const inverse = inverseDeviation(tape, node, variance)
	const dshift = sumByChannel(tape, gradient, shape)
	const dscale = tape.emit('Mul', [sumByChannel(tape, tape.emit('Mul', [gradient, centred]), shape), inverse])
	if (!isWanted(0)) return [undefined, dscale, dshift]
	const share = tape.scalar(-1 / (elementCount(shape) / shape[1]!))
	const slope = tape.emit('Mul', [scale, inverse])
	const shared = tape.emit('Mul', [slope, share])
	const b = tape.emit('Mul', [tape.emit('Mul', [shared, inverse]), dscale])
	const c = tape.emit('Mul', [shared, dshift])
	const dx = tape.emit('Add', [affine(tape, gradient, slope, c, shape), affine(tape, centred, b, undefined, shape)])
	return [dx, dscale, dshift]
}

/** `factor · x + term`, one factor and one term a channel. */
function affine(tape: Tape, x: string, factor: string, term: string | undefined, shape: Shape): string {
	const product = tape.emit('Mul', [x, alongChannels(tape, factor, shape)])
	return term === undefined ? product : tape.emit('Add', [product, alongChannels(tape, term, shape)])
}

/** `1 / √(variance + ε)` */
function inverseDeviation(tape: Tape, node: Node, variance: string): string {
	const epsilon = tape.scalar(attributeFloat(node, 'epsilon', DEFAULT_EPSILON))
	return tape.emit('Reciprocal', [tape.emit('Sqrt', [tape.emit('Add', [variance, epsilon])])])
}

/** `[C]` as `[1, C, 1, …]`, which broadcasts over a map of `shape`. */
function alongChannels(tape: Tape, name: string, shape: Shape): string {
	return tape.reshape(
		name,
		shape.map((dim, axis) => (axis === 1 ? dim : 1)),
	)
}

/** `[N, C, …]` → `[C]` */
function sumByChannel(tape: Tape, name: string, shape: Shape): string {
	return tape.reduce(
		'ReduceSum',
		name,
		shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
		false,
	)
}

function axesFrom(shape: Shape, first: number): number[] {
	return shape.flatMap((_, axis) => (axis >= first ? [axis] : []))
}
