/**
 * `model_config` → a tree of models. Reads what Keras 1, 2 and 3 wrote: Sequential as a bare list or with a name, Functional graphs with
 * `inbound_nodes` as `[[["conv", 0, 0, {}]]]` (Keras 1 and 2) or with `__keras_tensor__` and `keras_history` (Keras 3), nested models.
 * Nothing is executed and no function is decoded.
 */
import { FormatError, UnsupportedError } from '../../errors.ts'
import type { LayerConfig, Size } from './architecture.ts'
import { asArray, asName, asObject, badConfig, isObject, type JsonObject } from './json.ts'
import { modernClassName, modernConfig } from './legacy.ts'
import { slotNames } from './numbered-weights.ts'
import { assertOwnLayer } from './own-layer.ts'

/** More layers than any published Keras model has (EfficientNet-B7: 813), tenfold. */
const MAX_LAYERS = 10_000

/** Models nested deeper than this are a trap, not a network. */
const MAX_NESTING = 20

/** One tensor: the `call`-th use of layer `layer`; layers with several outputs are not supported, so `tensor` is 0 for layers. */
export interface TensorRef {
	readonly layer: string
	readonly call: number
	/** Which output, for nested models with several. */
	readonly tensor: number
}

export interface LayerSpec {
	readonly name: string
	readonly className: string
	/** What Keras 3 calls its group among those of the model's layers. */
	readonly slot: string
	readonly config: LayerConfig
	/** Set where the layer is a model itself. */
	readonly model: ModelSpec | null
	/** The inputs of each use. Empty for an input layer. */
	readonly calls: readonly (readonly TensorRef[])[]
}

export interface ModelSpec {
	readonly name: string
	readonly layers: readonly LayerSpec[]
	readonly inputs: readonly TensorRef[]
	readonly outputs: readonly TensorRef[]
}

/** Parses `{ class_name, config }` of a model. Throws `FormatError` (`bad-config`) or `UnsupportedError` (`unsupported-layer`). */
export function parseModel(json: unknown, depth = 0): ModelSpec {
	const { class_name, config } = asObject(json, 'model_config')
	const className = asName(class_name, 'class_name of the model')
	if (depth > MAX_NESTING)
		throw new FormatError('bad-config', `model_config: models are nested deeper than ${MAX_NESTING}`)
	if (className === 'Sequential') return parseSequential(config, depth)
	if (isModelClass(className)) return parseFunctional(asObject(config, 'config of the model'), depth)
	throw new UnsupportedError('unsupported-model', `${className}: expected a Sequential or Functional model`)
}

function isModelClass(className: string): boolean {
	return ['Sequential', 'Functional', 'Model', 'Container'].includes(className)
}

function parseSequential(json: unknown, depth: number): ModelSpec {
	const config: JsonObject = isObject(json) ? json : { layers: json }
	const parsed = parseLayers(config.layers, depth)
	const first = parsed[0]
	if (!first) throw new FormatError('no-layers', 'model_config: the Sequential model has no layers')
	const hasInput = first.className === 'InputLayer'
	const layers = hasInput ? parsed : [inputLayer(first, config, parsed), ...parsed]
	const chained = layers.map((layer, index) => ({
		...layer,
		calls: index === 0 ? [] : [[onlyCall(layers[index - 1])]],
	}))
	return {
		name: typeof config.name === 'string' ? config.name : 'sequential',
		layers: chained,
		inputs: [onlyCall(layers[0])],
		outputs: [onlyCall(layers.at(-1))],
	}
}

function onlyCall(layer: LayerSpec | undefined): TensorRef {
	return { layer: layer?.name ?? '', call: 0, tensor: 0 }
}

/** The input layer that a Sequential model leaves out, named as Keras names it: its first layer says the shape. */
function inputLayer(first: LayerSpec, config: JsonObject, layers: readonly LayerSpec[]): LayerSpec {
	const taken = new Set(layers.map((layer) => layer.name))
	const name = [`${first.name}_input`, 'input'].find((candidate) => !taken.has(candidate)) ?? 'sequential_input'
	const shape = declaredShape(first) ?? config.build_input_shape
	// It has no weights, so its slot stands for nothing.
	return { name, className: 'InputLayer', slot: '', config: { batch_input_shape: shape }, model: null, calls: [] }
}

function declaredShape(layer: LayerSpec): unknown {
	const { batch_input_shape, batch_shape, input_shape, input_dim } = layer.config
	if (batch_input_shape ?? batch_shape) return batch_input_shape ?? batch_shape
	if (Array.isArray(input_shape)) return [null, ...input_shape]
	if (typeof input_dim === 'number') return [null, input_dim]
	const inner = layer.model?.layers[0]
	return inner ? declaredShape(inner) : undefined
}

/** The shape of an input layer without the batch dimension, null where none is declared. Throws `FormatError` (`bad-config`). */
export function inputShape(layer: LayerSpec): Size[] | null {
	const what = `input shape of layer ${layer.name}`
	const declared = declaredShape(layer)
	if (declared == null) return null
	const [, ...sizes] = asArray(declared, what)
	return sizes.map((size) => {
		if (size === null || (Number.isSafeInteger(size) && Number(size) > 0)) return size as Size
		throw badConfig(what, 'positive whole numbers or null', size, layer.name)
	})
}

function parseFunctional(config: JsonObject, depth: number): ModelSpec {
	const layers = parseLayers(config.layers, depth)
	return {
		name: typeof config.name === 'string' ? config.name : 'model',
		layers,
		inputs: parseEnds(config.input_layers, 'input_layers'),
		outputs: parseEnds(config.output_layers, 'output_layers'),
	}
}

/** `[["a",0,0],["b",0,0]]`, `["a",0,0]` where there is one alone, or an object of such. */
function parseEnds(json: unknown, what: string): TensorRef[] {
	if (isObject(json)) return Object.values(json).map((ref) => parseRef(ref, what))
	const list = asArray(json, what)
	return typeof list[0] === 'string' ? [parseRef(list, what)] : list.map((ref) => parseRef(ref, what))
}

function parseRef(json: unknown, what: string): TensorRef {
	const [layer, call, tensor] = asArray(json, what)
	return { layer: asName(layer, what), call: asIndex(call, what), tensor: asIndex(tensor, what) }
}

function asIndex(value: unknown, what: string): number {
	if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value)
	throw badConfig(what, 'a number from 0', value)
}

function parseLayers(json: unknown, depth: number): LayerSpec[] {
	const list = asArray(json, 'layers of the model')
	if (list.length > MAX_LAYERS)
		throw new FormatError('bad-config', `model_config: ${list.length} layers, at most ${MAX_LAYERS} are read`)
	const objects = list.map((layer) => asObject(layer, 'a layer'))
	const slots = slotNames(objects.map(writtenClass))
	const layers = objects.map((layer, index) => parseLayer(layer, slots[index] as string, depth))
	const names = new Set(layers.map((layer) => layer.name))
	if (names.size < layers.length) throw new FormatError('bad-config', 'model_config: two layers have the same name')
	return layers
}

function writtenClass(json: JsonObject): string {
	return asName(json.class_name, 'class_name of a layer')
}

function parseLayer(json: JsonObject, slot: string, depth: number): LayerSpec {
	const written = writtenClass(json)
	const className = modernClassName(written)
	const settings = isObject(json.config) ? json.config : {}
	const name = asName(json.name ?? settings.name ?? written.toLowerCase(), 'name of a layer')
	assertOwnLayer(json, name)
	const model = isModelClass(className) ? parseModel(json, depth + 1) : null
	const calls = asArray(json.inbound_nodes ?? [], `inbound_nodes of layer ${name}`)
	const config = modernConfig(settings)
	return { name, className, slot, config, model, calls: calls.map((call) => parseCall(call, name)) }
}

function parseCall(json: unknown, layer: string): TensorRef[] {
	const what = `inbound_nodes of layer ${layer}`
	if (isObject(json)) return kerasTensors(json.args, what)
	return parseEnds(json, what)
}

/** Keras 3: every `keras_history` inside the arguments of a call, in order. */
function kerasTensors(json: unknown, what: string, depth = 0): TensorRef[] {
	if (depth > MAX_NESTING) throw new FormatError('bad-config', `${what}: nested deeper than ${MAX_NESTING}`)
	if (Array.isArray(json)) return json.flatMap((item) => kerasTensors(item, what, depth + 1))
	if (!isObject(json)) return []
	if (json.class_name === '__keras_tensor__') return [parseRef(asObject(json.config, what).keras_history, what)]
	return Object.values(json).flatMap((item) => kerasTensors(item, what, depth + 1))
}
