/**
 * New Keras models as `.h5`: architecture and weights in one file, in the layout of Keras 2.3 (`model_config` of a functional model,
 * `model_weights/LAYER/LAYER/kernel:0`), which Keras 2.3 to 3 and tf.keras read. Settings that only some of them know (`groups`,
 * `ragged`, `keepdims`) are left out, since others refuse them and all have the same default.
 */
import { createHdf5, type NewHdf5 } from './hdf5-create.ts'
import type { JsonObject } from './json.ts'
import { inKerasOrder } from './layer-order.ts'

/** The version that the file claims. Keras 2.3 is the oldest that has every layer and setting written here. */
const KERAS_VERSION = '2.3.1'

/** What Keras calls whoever computed; files differ by it only where a backend turns kernels, and TensorFlow's are unturned. */
const BACKEND = 'tensorflow'

/** A weight of a new layer, float32, row-major. */
export interface NewKerasWeight {
	/** Keras' name for it: `kernel`, `bias`, `gamma`. */
	readonly role: string
	readonly dims: readonly number[]
	readonly values: Float32Array
}

/** A layer of a new model, used once. */
export interface NewKerasLayer {
	/** Keras' class: `Conv2D`, `InputLayer`. */
	readonly className: string
	/** ASCII, without `/`; unique in its model. */
	readonly name: string
	/** Settings in Keras' spelling; the writer adds `name`, `trainable` and `dtype`. */
	readonly config: JsonObject
	/** Names of the layers it reads, which stand before it; none for an input layer. */
	readonly inputs: readonly string[]
	/** In Keras' order: kernel, bias; gamma, beta, moving mean, moving variance. */
	readonly weights: readonly NewKerasWeight[]
}

/** A functional model. Its inputs are its input layers, its output is its last layer, to which all others lead. */
export interface NewKerasModel {
	readonly name: string
	readonly layers: readonly NewKerasLayer[]
	/** Further text attributes of the file, ASCII; Keras passes over them. */
	readonly attributes?: ReadonlyMap<string, string>
}

/**
 * The `.h5` file of `model`, layers in Keras' order: the same model gives the same bytes on every machine.
 * @throws GoodnetError `cannot-write-hdf5`
 */
export async function writeKerasModel(model: NewKerasModel): Promise<Uint8Array<ArrayBuffer>> {
	const layers = inKerasOrder(model.layers)
	return createHdf5((file) => {
		file.text('/', 'backend', BACKEND)
		file.text('/', 'keras_version', KERAS_VERSION)
		file.text('/', 'model_config', ascii(JSON.stringify(kerasConfig({ ...model, layers }))))
		for (const [name, value] of model.attributes ?? []) file.text('/', name, value)
		writeWeights(file, layers)
	})
}

/** The `model_config` of `model`, with its layers as they stand. */
export function kerasConfig({ name, layers }: NewKerasModel): JsonObject {
	const inputs = layers.filter(({ className }) => className === 'InputLayer')
	return {
		class_name: 'Model',
		config: {
			name,
			layers: layers.map(layerConfig),
			input_layers: inputs.map((layer) => [layer.name, 0, 0]),
			output_layers: layers.slice(-1).map((layer) => [layer.name, 0, 0]),
		},
	}
}

function layerConfig({ className, name, config, inputs }: NewKerasLayer) {
	// An input layer does not take `trainable`.
	const trainable = className === 'InputLayer' ? {} : { trainable: true }
	return {
		class_name: className,
		config: { name, ...trainable, dtype: 'float32', ...config },
		name,
		inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
	}
}

function writeWeights(file: NewHdf5, layers: readonly NewKerasLayer[]): void {
	const root = '/model_weights'
	file.group(root)
	file.text(root, 'backend', BACKEND)
	file.text(root, 'keras_version', KERAS_VERSION)
	const names = layers.map(({ name }) => name)
	file.texts(root, 'layer_names', names)
	for (const { name, weights } of layers) {
		const group = `${root}/${name}`
		file.group(group)
		const datasets = weights.map(({ role }) => `${name}/${role}:0`)
		file.texts(group, 'weight_names', datasets)
		if (weights.length > 0) file.group(`${group}/${name}`)
		for (const { role, dims, values } of weights) file.floats(`${group}/${name}/${role}:0`, dims, values)
	}
}

/** JSON with everything beyond ASCII escaped, as Python's `json.dumps` writes it. */
function ascii(json: string): string {
	return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
