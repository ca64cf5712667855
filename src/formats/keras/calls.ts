/** A tree of models → one plain list of calls in order, nested models unfolded, as `KerasArchitecture` wants it. */
import { FormatError } from '../../errors.ts'
import type { KerasArchitecture, KerasCall, KerasInput } from './architecture.ts'
import { inputShape, type LayerSpec, type ModelSpec, parseModel, type TensorRef } from './config.ts'
import { isObject } from './json.ts'

/** Uses of layers and models, all unfolded. A small file that uses a model ten times, twenty levels deep, would never end. */
const MAX_USES = 100_000

/** What a layer's use yields: names of values, one per output. */
type Outputs = readonly string[]

interface Unfolding {
	readonly inputs: KerasInput[]
	readonly calls: KerasCall[]
	uses: number
}

/** Where in the tree a model stands. `prefix` makes value names unique; `path` names the models around it, `slots` their groups. */
interface Place {
	readonly prefix: string
	readonly path: readonly string[]
	readonly slots: readonly string[]
}

/**
 * The architecture in `json` (a parsed `model_config` or `to_json()` text). `kerasVersion` is what the file says beside it, if anything.
 * Throws `FormatError` (`bad-config`, `no-layers`) or `UnsupportedError` (`unsupported-model`).
 */
export function parseArchitecture(json: unknown, kerasVersion?: string): KerasArchitecture {
	const model = parseModel(json)
	const declared = isObject(json) ? json.keras_version : undefined
	const version = kerasVersion ?? (typeof declared === 'string' ? declared : '')
	const unfolding: Unfolding = { inputs: [], calls: [], uses: 0 }
	const outputs = unfold(model, null, { prefix: '', path: [], slots: [] }, unfolding)
	const { inputs, calls } = unfolding
	return { name: model.name, kerasMajor: Number.parseInt(version, 10) || 2, inputs, calls, outputs }
}

/** Appends the calls of `model` to `unfolding` and returns the names of its outputs. `given` are its inputs, null for the model itself. */
function unfold(model: ModelSpec, given: Outputs | null, place: Place, unfolding: Unfolding): Outputs {
	const values = new Map<string, Outputs>()
	const bases = new Map(model.layers.map((layer) => [layer.name, firstCall(layer, model)]))
	const valueAt = ({ layer, call, tensor }: TensorRef) =>
		values.get(key(layer, call - (bases.get(layer) ?? 0)))?.[tensor]

	model.inputs.forEach((input, index) => {
		const layer = model.layers.find(({ name, className }) => name === input.layer && className === 'InputLayer')
		if (!layer) throw missing(input, 'input_layers')
		const value = given === null ? declareInput(layer, place, unfolding) : given[index]
		if (value === undefined) throw unconnected(layer)
		values.set(key(layer.name, 0), [value])
	})
	let pending = model.layers.flatMap((layer) => layer.calls.map((inputs, index) => ({ layer, inputs, index })))
	while (pending.length > 0) {
		const waiting = pending.filter(({ layer, inputs, index }) => {
			const names = inputs.map(valueAt)
			if (!names.every((name) => name !== undefined)) return true
			values.set(key(layer.name, index), call(layer, names as string[], index, place, unfolding))
			return false
		})
		if (waiting.length === pending.length) throw unconnected(waiting[0]?.layer)
		pending = waiting
	}
	return model.outputs.map((output) => valueAt(output) ?? raise(missing(output, 'output_layers')))
}

function declareInput(layer: LayerSpec, place: Place, unfolding: Unfolding): string {
	const name = place.prefix + layer.name
	unfolding.inputs.push({ name, shape: inputShape(layer) })
	return name
}

function call(layer: LayerSpec, inputs: Outputs, index: number, place: Place, unfolding: Unfolding): Outputs {
	const suffix = index === 0 ? '' : `:${index}`
	const name = place.prefix + layer.name + suffix
	const path = [...place.path, layer.name]
	const slots = [...place.slots, layer.slot]
	unfolding.uses += 1
	if (unfolding.uses > MAX_USES)
		throw new FormatError('bad-config', `model_config: layers are used more than ${MAX_USES} times`)
	if (layer.model) return unfold(layer.model, inputs, { prefix: `${name}/`, path, slots }, unfolding)
	const { className, config } = layer
	unfolding.calls.push({ name, layer: { name: path.join('/'), className, config, path, slots }, inputs })
	return [name]
}

/**
 * The number by which the first use of `layer` is referred to: 0, or 1 for a nested model whose own making counts as use 0 (Keras 2 and 3
 * do so for functional models).
 */
function firstCall(layer: LayerSpec, model: ModelSpec): number {
	if (!layer.model) return 0
	const refs = [...model.layers.flatMap((other) => other.calls.flat()), ...model.outputs]
	return refs.some((ref) => ref.layer === layer.name && ref.call >= layer.calls.length) ? 1 : 0
}

function key(layer: string, index: number): string {
	return `${index}:${layer}`
}

function unconnected(layer: LayerSpec | undefined): FormatError {
	return new FormatError('bad-config', `layer ${layer?.name}: its inputs come from nowhere, or from itself`, {
		layer: layer?.name,
	})
}

function missing({ layer }: TensorRef, list: string): FormatError {
	return new FormatError('bad-config', `${list}: expected a layer of the model, found ${layer}`, { layer })
}

function raise(error: Error): never {
	throw error
}
