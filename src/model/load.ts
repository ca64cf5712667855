/** Model files on disk → `Model`. */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Preprocessing } from '../data/preprocess.ts'
import { FormatError } from '../errors.ts'
import { exists, readFileInside, readFileWhole, sha256Of } from '../files.ts'
import { MAX_MODEL_BYTES, missingBeside, type ReadBeside, unsafePath } from '../formats/beside.ts'
import { type KerasArchitecture, readArchitecture } from '../formats/keras/keras.ts'
import { bestRuntime } from '../runtime/node.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Model } from './model.ts'
import { EXPECTED, openModel } from './open.ts'

/** A quarter GiB: file, graph and weights at once in the 4 GiB that WebAssembly can address. */
const MAX_SANDBOX_BYTES = 2 ** 28

export interface LoadModelOptions {
	/** For weights-only `.h5` files: path of a full `.h5` or `.keras`, or of Keras' `to_json` text, or an architecture read already. */
	readonly architecture?: string | KerasArchitecture | undefined
	/** How raw pixels become the model's input. What is not given here is as the file's metadata say (GoodNets tell it), else raw. */
	readonly preprocessing?: Partial<Preprocessing> | undefined
	/** Default: the best one of this machine. */
	readonly runtime?: Runtime | undefined
}

/**
 * Reads a model: ONNX (opset 6 or newer, with external data beside it), Keras `.h5` (full or weights only) or `.keras`, or a TF.js layers
 * model by its `model.json` or its folder.
 *
 * @throws InputError `not-found`, `architecture-needed`, `file-missing`, `not-finite`, …; FormatError for damage; UnsupportedError for a
 * layer, operator or format that goodnet does not know, by name
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
	const file = await fileOf(path)
	const runtime = options.runtime ?? (await bestRuntime())
	const bytes = await readFileWhole(file, MAX_MODEL_BYTES)
	const { architecture: given, preprocessing } = options
	const architecture = typeof given === 'string' ? await loadArchitecture(given) : given
	let read = bytes.length
	const readBeside: ReadBeside = async (name, maxBytes) => {
		const beside = await readFromFolderOf(file, name, maxBytes)
		read += beside.length
		return beside
	}
	const sandbox = () => sandboxFor(runtime, read)
	const about = { path: file, sha256: sha256Of(bytes), runtime, sandbox, architecture, preprocessing, readBeside }
	const model = await openModel(bytes, about)
	const { beside } = model.source
	if (beside.size === 0) return model
	return { ...model, source: { ...model.source, sha256: sha256Of(bytes, ...beside.values()) } }
}

/** The model's own file: `path`, or the `model.json` of a folder. */
async function fileOf(path: string): Promise<string> {
	const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false
	if (!isFolder) return path
	if (await exists(join(path, 'model.json'))) return join(path, 'model.json')
	const isSavedModel = await exists(join(path, 'saved_model.pb'))
	const found = isSavedModel
		? 'a TensorFlow SavedModel, which goodnet does not read: export it to ONNX (python -m tf2onnx.convert --saved-model FOLDER), or save it with Keras'
		: 'a folder without a model.json: name the file itself'
	throw new FormatError('unknown-format', `${path}: expected ${EXPECTED}, found ${found}`, { path })
}

async function readFromFolderOf(file: string, name: string, maxBytes: number): Promise<Uint8Array> {
	const found = await readFileInside(dirname(file), name, maxBytes)
	if (found === 'absent') throw missingBeside(file, name)
	if (found === 'outside') throw unsafePath(file, name)
	return found
}

/** WebAssembly, for files that fit into its memory several times over. Larger ones are tried where they will run. */
async function sandboxFor(runtime: Runtime, fileBytes: number): Promise<Runtime> {
	if (runtime.name === 'onnxruntime-web' || fileBytes > MAX_SANDBOX_BYTES) return runtime
	return (await import('../runtime/web.ts')).webRuntime()
}

async function loadArchitecture(path: string) {
	return readArchitecture(await readFileWhole(path, MAX_MODEL_BYTES), path)
}
