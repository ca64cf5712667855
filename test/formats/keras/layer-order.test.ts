import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseModel } from '../../../src/formats/keras/config.ts'
import { withHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { inKerasOrder } from '../../../src/formats/keras/layer-order.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

/** Functional models that Keras itself sorted when it saved them: residual sums, two paths that meet again. */
const REAL = [
	'csaw/model_B_2.h5',
	'models/backdoored/face-lab3-sunglasses/bd_net.h5',
	'models/backdoored/gtsrb-yellow-square/badnet_model.hdf5',
	'models/clean/cifar10-resnet8-mlperf/pretrainedResnet.h5',
	'models/clean/face-emotion-xception/fer2013_mini_XCEPTION.102-0.66.hdf5',
	'models/loader-corpus/keras2/tiny_XCEPTION_KDEF.hdf5',
]

async function layersIn(path: string) {
	return withHdf5(new Uint8Array(readFileSync(sharedPath(path))), path, (file) => {
		const { layers } = parseModel(JSON.parse(file.strings('/', 'model_config')![0]!))
		return layers.map(({ name, calls }) => ({ name, inputs: calls.flat().map(({ layer }) => layer) }))
	})
}

/** Another order in which every layer stands after those it reads: depth first from the output, the last input first. */
function otherOrder<T extends { name: string; inputs: readonly string[] }>(layers: readonly T[]): T[] {
	const ordered = new Set<T>()
	const visit = (layer: T) => {
		for (const input of layer.inputs.toReversed()) visit(layers.find(({ name }) => name === input)!)
		ordered.add(layer)
	}
	visit(layers.at(-1)!)
	return [...ordered]
}

describeShared('the order of layers in real files', () => {
	it.each(REAL)('%s: is found again from another one', async (path) => {
		const layers = await layersIn(path)
		const names = layers.map(({ name }) => name)
		expect(inKerasOrder(otherOrder(layers)).map(({ name }) => name)).toEqual(names)
	})

	it('is not always the one we started from, so that the test above says something', async () => {
		const layers = await layersIn(REAL[3]!)
		expect(otherOrder(layers)).not.toEqual(layers)
	})
})

describe('inKerasOrder', () => {
	it('puts a projection beside the last convolution of its unit, not before the first', () => {
		const layers = [
			{ name: 'x', inputs: [] },
			{ name: 'shortcut', inputs: ['x'] },
			{ name: 'conv_1', inputs: ['x'] },
			{ name: 'conv_2', inputs: ['conv_1'] },
			{ name: 'add', inputs: ['conv_2', 'shortcut'] },
		]
		expect(inKerasOrder(layers).map(({ name }) => name)).toEqual(['x', 'conv_1', 'conv_2', 'shortcut', 'add'])
	})

	it('keeps every layer after those it reads, and does not change when sorted again', () => {
		// Layer i reads one or two earlier ones; what does not lead to the last is left out.
		const reads = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 })
		fc.assert(
			fc.property(reads, (all) => {
				const drawn = all.map(([a, b], i) => ({ name: `${i + 1}`, inputs: [`${a % (i + 1)}`, `${b % (i + 1)}`] }))
				const layers = otherOrder([{ name: '0', inputs: [] as string[] }, ...drawn])
				const sorted = inKerasOrder(layers)
				expect(new Set(sorted)).toEqual(new Set(layers))
				const place = new Map(sorted.map(({ name }, i) => [name, i]))
				for (const { name, inputs } of sorted) {
					for (const input of inputs) expect(place.get(input)).toBeLessThan(place.get(name)!)
				}
				expect(inKerasOrder(sorted)).toEqual(sorted)
			}),
		)
	})
})
