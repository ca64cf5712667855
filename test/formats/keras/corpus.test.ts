import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openKeras, readArchitecture } from '../../../src/formats/keras/keras.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { distance, run } from './run.ts'

const corpus = (file: string) => sharedPath(`models/loader-corpus/${file}`)

interface Reference {
	readonly input: string
	readonly shape: readonly number[]
	readonly output: readonly unknown[]
}

/** Every real Keras file that has an independent run beside it. */
const REFERENCED = [
	'backdoored/face-lab3-sunglasses/bd_net.h5',
	'backdoored/face-sunglasses-early/sunglasses_bd_net.h5',
	'backdoored/gtsrb-yellow-square/badnet_model.hdf5',
	'clean/cifar10-resnet8-mlperf/pretrainedResnet.h5',
	'clean/face-emotion-xception/fer2013_mini_XCEPTION.102-0.66.hdf5',
	'loader-corpus/keras2/tiny_XCEPTION_KDEF.hdf5',
	'loader-corpus/keras2/keras_conv2d_model.h5',
	'loader-corpus/keras2/keras_3layer_batch_norm.h5',
	'loader-corpus/keras2/functionally_equivalent_extraction.h5',
]

describeShared('real Keras models', () => {
	it.each(REFERENCED)('%s gives the outputs of an independent run', async (file) => {
		const path = sharedPath(`models/${file}`)
		const reference = JSON.parse(readFileSync(`${path}.ref.json`, 'utf8')) as Reference
		const values = new Float32Array(new Uint8Array(readFileSync(`${path}.ref.input.f32`)).buffer)
		const [output] = await run(await openKeras(readFileSync(path)), [{ dims: reference.shape, values }])
		expect(distance(output!.values, reference.output.flat(4) as number[])).toBeLessThan(1e-4)
	})

	it('reads an autoencoder, whose output is a picture, with UpSampling2D and Cropping2D', async () => {
		const graph = await openKeras(readFileSync(corpus('keras2/autoencoder.h5')))
		const [output] = await run(graph, [{ dims: [1, 55, 47, 3], values: new Float32Array(55 * 47 * 3) }])
		expect(graph.outputs[0]?.name).toBe('cropping2d_3')
		expect(output?.dims).toEqual([1, 55, 47, 3])
	})

	it('pairs weights with an architecture in JSON', async () => {
		const architecture = await readArchitecture(readFileSync(corpus('keras2/KERAS_conv2d_model.json')))
		const graph = await openKeras(readFileSync(corpus('keras2/KERAS_conv2d_model_weights.h5')), { architecture })
		const [output] = await run(graph, [{ dims: [1, 8, 8, 1], values: new Float32Array(64).fill(0.5) }])
		expect(Array.from(output!.values).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
	})
})

/** Files to refuse: file, architecture or null, class and code of the error, a word that its message must have. */
const REFUSED = [
	['keras1/model.h5', null, 'InputError', 'architecture-needed', '--architecture'],
	['keras1/model.h5', 'keras1/model.json', 'UnsupportedError', 'unsupported-layer', 'Lambda'],
	['keras2/keras_conv1d_small.h5', null, 'UnsupportedError', 'unsupported-layer', 'conv1_relu: layers of class Conv1D'],
	['keras2/KERAS_conv2d_model_weights.h5', null, 'InputError', 'architecture-needed', 'weights only'],
	[
		'keras2/qkeras_mnist_cnn_weights.h5',
		'keras2/qkeras_mnist_cnn.json',
		'UnsupportedError',
		'unsupported-layer',
		'QConv2D',
	],
	[
		'keras2/KERAS_conv2d_model_weights.h5',
		'keras2/keras_3layer_batch_norm.h5',
		'InputError',
		'weights-missing',
		'fc1_relu',
	],
	['broken/inception_trojan.h5', null, 'FormatError', 'no-model', 'no layers'],
	['broken/mnist_cnn_original.h5', null, 'FormatError', 'git-lfs-pointer', 'git lfs pull'],
	['broken/malicious_lambda.h5', null, 'UnsupportedError', 'unsupported-layer', 'Lambda'],
	['broken/safe_model.h5', null, 'InputError', 'weights-missing', 'Dense'],
	['broken/badnet_MNIST.pth', null, 'FormatError', 'not-hdf5', 'HDF5'],
	['not-models/empty.h5', null, 'FormatError', 'no-model', 'no layers'],
	['not-models/compressed.h5', null, 'FormatError', 'no-model', 'no layers'],
	['../../csaw/mini_valid.h5', null, 'FormatError', 'no-model', 'looks like a data set'],
] as const

describeShared('real files that are no usable Keras model', () => {
	it.each(REFUSED)('%s with architecture %s is refused: %s %s', async (file, json, name, code, word) => {
		const opening = async () => {
			const architecture = json ? await readArchitecture(readFileSync(corpus(json))) : undefined
			return openKeras(readFileSync(corpus(file)), { path: file, ...(architecture && { architecture }) })
		}
		await expect(opening()).rejects.toMatchObject({ name, code, message: expect.stringContaining(word) })
	})
})
