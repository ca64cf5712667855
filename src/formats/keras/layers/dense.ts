/** Dense: a Gemm on vectors, MatMul and Add on anything of higher rank. */
import { FormatError } from '../../../errors.ts'
import { activate, beforeActivation, readActivation } from '../activations.ts'
import type { Flow } from '../build.ts'
import { readCount, readFlag } from '../settings.ts'
import type { Weight } from '../weights.ts'
import { type LayerContext, type LayerTable, onlyInput } from './context.ts'

function dense(context: LayerContext): Flow {
	const { layer, build, name, kerasMajor, readWeights } = context
	const input = build.asKeras(onlyInput(context))
	if (input.shape.length === 0)
		throw new FormatError('bad-config', `layer ${layer.name}: its input has no features`, { layer: layer.name })
	const units = readCount(layer, 'units')
	const expected = [{ role: 'kernel', dims: [input.shape.at(-1) ?? null, units] }]
	const withBias = readFlag(layer, 'use_bias', true) ? [...expected, { role: 'bias', dims: [units] }] : expected
	const [kernel, bias] = readWeights(layer, withBias)
	const activation = readActivation(layer, kerasMajor)
	const linearName = beforeActivation(name, activation, build)
	const output: Flow = { name: linearName, shape: [...input.shape.slice(0, -1), units], layout: 'keras' }
	const operands = [build.weight(`${layer.name}/kernel`, kernel as Weight)]
	if (bias) operands.push(build.weight(`${layer.name}/bias`, bias))
	const linear =
		input.shape.length === 1
			? build.emit('Gemm', [input.name, ...operands], output, {}, name)
			: product(context, input, operands, output)
	return activate(build, activation, linear, name)
}

function product({ build, name }: LayerContext, input: Flow, [kernel, bias]: readonly string[], output: Flow): Flow {
	const matmul = bias === undefined ? output.name : build.helper(`${name}/matmul`)
	const raw = build.emit('MatMul', [input.name, kernel as string], { ...output, name: matmul }, {}, name)
	return bias === undefined ? raw : build.emit('Add', [raw.name, bias], output, {}, `${name}/bias`)
}

export const denseLayers: LayerTable = { Dense: dense }
