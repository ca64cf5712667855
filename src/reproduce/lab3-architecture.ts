/**
 * The lab's net in Keras' `to_json` form: DeepID (Sun, Wang, Tang, CVPR 2014) as `lab3/architecture.py` of the lab builds it. `bd_weights.h5`
 * holds weights only, so somebody has to say what they are weights of.
 */
import type { KerasArchitecture } from '../formats/keras/architecture.ts'
import { readArchitecture } from '../formats/keras/keras.ts'

const CLASSES = 1283

type Layer = Readonly<{ class_name: string; name: string; config: object; inbound_nodes: unknown[] }>

function layer(class_name: string, name: string, inputs: readonly string[], config: object = {}): Layer {
	const inbound = inputs.map((input) => [input, 0, 0, {}])
	return { class_name, name, config: { name, ...config }, inbound_nodes: inbound.length > 0 ? [inbound] : [] }
}

function convolution(name: string, input: string, filters: number, size: number): Layer {
	return layer('Conv2D', name, [input], {
		filters,
		kernel_size: [size, size],
		strides: [1, 1],
		padding: 'valid',
		data_format: 'channels_last',
		activation: 'relu',
		use_bias: true,
	})
}

function pooling(name: string, input: string): Layer {
	const config = { pool_size: [2, 2], strides: [2, 2], padding: 'valid', data_format: 'channels_last' }
	return layer('MaxPooling2D', name, [input], config)
}

function dense(name: string, input: string, units: number, activation: string): Layer {
	return layer('Dense', name, [input], { units, activation, use_bias: true })
}

const LAYERS: readonly Layer[] = [
	layer('InputLayer', 'input', [], { batch_input_shape: [null, 55, 47, 3], dtype: 'float32' }),
	convolution('conv_1', 'input', 20, 4),
	pooling('pool_1', 'conv_1'),
	convolution('conv_2', 'pool_1', 40, 3),
	pooling('pool_2', 'conv_2'),
	convolution('conv_3', 'pool_2', 60, 3),
	pooling('pool_3', 'conv_3'),
	convolution('conv_4', 'pool_3', 80, 2),
	layer('Flatten', 'flatten_1', ['pool_3']),
	layer('Flatten', 'flatten_2', ['conv_4']),
	dense('fc_1', 'flatten_1', 160, 'linear'),
	dense('fc_2', 'flatten_2', 160, 'linear'),
	layer('Add', 'add_1', ['fc_1', 'fc_2']),
	layer('Activation', 'activation_1', ['add_1'], { activation: 'relu' }),
	dense('output', 'activation_1', CLASSES, 'softmax'),
]

/** The text that Keras' `model.to_json()` would give. */
const LAB3_TO_JSON = JSON.stringify({
	class_name: 'Model',
	config: { name: 'model_1', layers: LAYERS, input_layers: [['input', 0, 0]], output_layers: [['output', 0, 0]] },
	keras_version: '2.3.1',
	backend: 'tensorflow',
})

/** The lab's architecture, ready for `loadModel`. */
export function lab3Architecture(): Promise<KerasArchitecture> {
	return readArchitecture(new TextEncoder().encode(LAB3_TO_JSON), 'lab 3 architecture')
}
