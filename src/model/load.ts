/** Model files on disk ↔ `Model`. */

import type { Preprocessing } from '../data/preprocess.ts'
import { InputError, UsageError } from '../errors.ts'
import { readFileWhole, sha256Of, writeFileWhole } from '../files.ts'
import { type KerasArchitecture, readArchitecture } from '../formats/keras/keras.ts'
import { writeBackKeras } from '../formats/keras/write-back.ts'
import { writeBackOnnx } from '../formats/onnx.ts'
import type { Graph } from '../graph/graph.ts'
import { encodeOnnx } from '../graph/onnx.ts'
import { bestRuntime } from '../runtime/node.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Model, ModelFormat } from './model.ts'
import { openModel, PREPROCESSING_KEY } from './open.ts'

/** Protobuf's own limit for one message, and so ONNX' limit for a model in one file. */
const MAX_MODEL_BYTES = 2 ** 31 - 1

/** A quarter GiB: file, graph and weights at once in the 4 GiB that WebAssembly can address. */
const MAX_SANDBOX_BYTES = 2 ** 28

export interface LoadModelOptions {
	/** For weights-only `.h5` files: path of a full `.h5`, or of Keras' `to_json` text, or an architecture read already. */
	readonly architecture?: string | KerasArchitecture | undefined
	/** How raw pixels become the model's input. What is not given here is as the file's metadata say (GoodNets tell it), else raw. */
	readonly preprocessing?: Partial<Preprocessing> | undefined
	/** Default: the best one of this machine. */
	readonly runtime?: Runtime | undefined
}

/**
 * Reads a model file: ONNX (opset 6 or newer) or Keras `.h5`, full or weights only.
 *
 * @throws InputError `not-found`, `architecture-needed`, `not-finite`, …; FormatError for damage; UnsupportedError for a layer,
 * operator or format that goodnet does not know, by name
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
	const runtime = options.runtime ?? (await bestRuntime())
	const bytes = await readFileWhole(path, MAX_MODEL_BYTES)
	const { architecture: given } = options
	const architecture = typeof given === 'string' ? await loadArchitecture(given) : given
	const { preprocessing } = options
	const sandbox = () => sandboxFor(runtime, bytes.length)
	return openModel(bytes, { path, sha256: sha256Of(bytes), runtime, sandbox, architecture, preprocessing })
}

/** WebAssembly, for files that fit into its memory several times over. Larger ones are tried where they will run. */
async function sandboxFor(runtime: Runtime, fileBytes: number): Promise<Runtime> {
	if (runtime.name === 'onnxruntime-web' || fileBytes > MAX_SANDBOX_BYTES) return runtime
	return (await import('../runtime/web.ts')).webRuntime()
}

async function loadArchitecture(path: string) {
	return readArchitecture(await readFileWhole(path, MAX_MODEL_BYTES), path)
}

/** The file extension of each format, without the dot. */
export const EXTENSIONS: Readonly<Record<ModelFormat, string>> = { 'keras-h5': 'h5', onnx: 'onnx' }

/**
 * The bytes of a model's file. In the model's own format it is the file it came from with the changed weights and nothing else
 * changed; in ONNX it is the graph.
 *
 * @throws InputError `cannot-write-back` for `.h5` where the repair added nodes (a mask), which no weight of the file can express
 */
export async function modelFile(model: Model, format: ModelFormat): Promise<Uint8Array> {
	const { source, graph } = model
	if (format === 'onnx') {
		const isRewrite = source.format === 'onnx' && source.bytes !== null
		return isRewrite ? writeBackOnnx(source.bytes, source.graph, graph) : encodeOnnx(withPreprocessing(model))
	}
	if (source.format !== 'keras-h5' || !source.bytes) {
		throw new UsageError('wrong-format', `${source.path} is an ONNX model; it can be saved as .onnx, not as Keras .h5`)
	}
	if (!canWriteBack(model)) {
		const message = `${source.path}: this repair is a mask in the graph, not a change of weights, and Keras .h5 has no place for it; save it as .onnx`
		throw new InputError('cannot-write-back', message, { path: source.path })
	}
	return writeBackKeras(source.bytes, source.graph, graph)
}

/** A file that we make says how to feed it; one that somebody else made keeps the metadata it came with. */
function withPreprocessing({ graph, preprocessing }: Model): Graph {
	return { ...graph, metadata: new Map([...graph.metadata, [PREPROCESSING_KEY, JSON.stringify(preprocessing)]]) }
}

/** Can the repair be written into a file of the model's own format? A mask needs a graph, so a masked Keras net comes out as ONNX. */
export function canWriteBack({ source, graph }: Model): boolean {
	return source.format === 'onnx' || graph.nodes.length === source.graph.nodes.length
}

/**
 * Saves a model, or a GoodNet's, under a name that ends in `.onnx` or `.h5`. Written under a temporary name, then renamed.
 *
 * @throws UsageError `unknown-extension`; InputError `exists` unless `force`, `disk-full`
 */
export async function saveModel(model: Model, path: string, options: { readonly force?: boolean } = {}): Promise<void> {
	const format = /\.onnx$/i.test(path) ? 'onnx' : /\.(h5|hdf5)$/i.test(path) ? 'keras-h5' : null
	if (!format) throw new UsageError('unknown-extension', `${path}: expected a name ending in .onnx, .h5 or .hdf5`)
	await writeFileWhole(path, await modelFile(model, format), options)
}
