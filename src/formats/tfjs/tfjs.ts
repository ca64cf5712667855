/**
 * TensorFlow.js layers models: `model.json` with a Keras architecture (`modelTopology`) and a list of weights (`weightsManifest`), and shards
 * with the weights beside it. Written by `tensorflowjs_converter` and by `model.save()` of TF.js itself.
 */
import { FormatError, InputError, UnsupportedError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { type ReadBeside, readAllBeside } from '../beside.ts'
import type { KerasLayer } from '../keras/architecture.ts'
import { parseArchitecture } from '../keras/calls.ts'
import { isObject, type JsonObject, parseJson } from '../keras/json.ts'
import { assertSupported, translate } from '../keras/translate.ts'
import { type ReadWeights, readWeight, wrongCount } from '../keras/weights.ts'
import { writeChanges } from '../keras/write-back.ts'
import { parseManifest } from './manifest.ts'
import { Shards } from './shards.ts'

/** The text is an architecture and a list, some hundred kB for the largest nets in use. */
const MAX_JSON_BYTES = 2 ** 26

/** A model and the shards that it came with, by name. */
export interface TfjsModel {
	readonly graph: Graph
	readonly beside: ReadonlyMap<string, Uint8Array>
}

/** Whether `bytes` are JSON that speaks of a TF.js model. */
export function matchTfjs(bytes: Uint8Array): boolean {
	const text = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_JSON_BYTES))
	return text.trimStart().startsWith('{') && /"(modelTopology|weightsManifest)"/.test(text)
}

/**
 * The model in `bytes`, a `model.json`, with its shards from `read`. Its weights carry their origin, so that `writeBackTfjs` can put a repair back.
 * Throws what `openKeras` does for the architecture, `FormatError` (`bad-config`, `corrupt-tfjs`, `too-large`), `UnsupportedError` (`graph-model`,
 * `unsupported-dtype`), `InputError` (`weights-missing`) and what `readAllBeside` throws.
 */
export async function openTfjs(bytes: Uint8Array, path: string, read: ReadBeside): Promise<TfjsModel> {
	const json = parseModelJson(bytes, path)
	const topology = isObject(json.modelTopology) ? json.modelTopology : {}
	if (json.format === 'graph-model' || 'node' in topology) throw graphModel(path)
	const version = typeof topology.keras_version === 'string' ? topology.keras_version : undefined
	const config = topology.model_config ?? topology
	const architecture = parseArchitecture(typeof config === 'string' ? parseJson(config, path) : config, version)
	assertSupported(architecture)
	const groups = parseManifest(json.weightsManifest, path)
	if (groups.length === 0) throw noManifest(path)
	const beside = await readAllBeside(
		groups.flatMap(({ paths }) => paths),
		read,
		path,
		groups.reduce((sum, group) => sum + group.bytes, 0),
	)
	const shards = new Shards(groups, beside, path)
	return { graph: translate(architecture, weightsByRole(shards, path)), beside }
}

/**
 * The shards of `model.json` (`bytes`, with `beside` as read) with the weights that `after` has changed; `model.json` itself never changes.
 * Throws `InputError` (`cannot-write-back`) where a weight is quantised so that the new value cannot be stored exactly.
 */
export function writeBackTfjs(
	bytes: Uint8Array,
	beside: ReadonlyMap<string, Uint8Array>,
	before: Graph,
	after: Graph,
	path: string,
): Map<string, Uint8Array> {
	const shards = new Shards(parseManifest(parseModelJson(bytes, path).weightsManifest, path), beside, path)
	writeChanges(shards, before, after)
	return shards.files()
}

function parseModelJson(bytes: Uint8Array, path: string): JsonObject {
	if (bytes.length > MAX_JSON_BYTES) {
		const message = `${path}: expected a model.json of at most ${MAX_JSON_BYTES} bytes, found ${bytes.length}`
		throw new FormatError('too-large', message, { path })
	}
	const json = parseJson(new TextDecoder().decode(bytes), path)
	if (isObject(json)) return json
	throw new FormatError('bad-config', `${path}: expected a JSON object with modelTopology and weightsManifest`, {
		path,
	})
}

/** A reader of weights by the layer's name and the weight's role: `conv2d_1/kernel`, or `outer/conv2d_1/kernel` in a nested model. */
function weightsByRole(shards: Shards, path: string): ReadWeights {
	const names = shards.names
	return (layer, expected) => {
		const own = namesOfLayer(names, layer)
		const byRole = expected.map(({ role }) => own.find((name) => name.split('/').at(-1) === role))
		// Where the names are of another time, their order is what counts, as in Keras.
		const chosen = byRole.every((name) => name !== undefined) ? byRole : own
		if (chosen.length !== expected.length) throw wrongCount(layer, expected, own.length, 'weightsManifest', path)
		return expected.map((weight, index) => readWeight(shards, layer, weight, chosen[index] as string, path))
	}
}

function namesOfLayer(names: readonly string[], { path }: KerasLayer): readonly string[] {
	const own = names.filter((name) =>
		name
			.split('/')
			.slice(0, -1)
			.includes(path.at(-1) as string),
	)
	const whole = own.filter((name) => path.every((part) => name.split('/').includes(part)))
	return whole.length > 0 ? whole : own
}

function graphModel(path: string): UnsupportedError {
	const message = `${path}: a TF.js graph model: its layers are dissolved into operations, which goodnet does not read; convert the original to a TF.js layers model, Keras or ONNX`
	return new UnsupportedError('graph-model', message, { path })
}

function noManifest(path: string): InputError {
	const message = `${path}: expected a weightsManifest, found an architecture alone; save the model with its weights`
	return new InputError('weights-missing', message, { path })
}
