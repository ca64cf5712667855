/** Keras `.h5` files → `Graph`: whole models, and weights (`.weights.h5` too) with an architecture from elsewhere. */
import { FormatError, type GoodnetError, InputError, UnsupportedError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import type { KerasArchitecture } from './architecture.ts'
import { matchKerasArchive, readArchivedArchitecture } from './archive.ts'
import { parseArchitecture } from './calls.ts'
import { type Hdf5File, isHdf5, withHdf5 } from './hdf5.ts'
import { parseJson } from './json.ts'
import { namedWeights, weightsRoot } from './named-weights.ts'
import { hasNumberedWeights, numberedWeights } from './numbered-weights.ts'
import { assertSupported, translate } from './translate.ts'
import type { ReadWeights } from './weights.ts'

export type { KerasArchitecture } from './architecture.ts'

export interface OpenKerasOptions {
	/** The file's name, for messages. */
	readonly path?: string
	/** The architecture of a weights-only file, from `readArchitecture`. A whole model's own one comes first. */
	readonly architecture?: KerasArchitecture
}

/** Whether `bytes` are an HDF5 file, as Keras models (and data sets) are; `openKeras` tells which. */
export function matchKeras(bytes: Uint8Array): boolean {
	return isHdf5(bytes)
}

/**
 * The model in `bytes`. Its weights carry their origin, so that `writeBackKeras` can put a repair back. Attributes of the file whose names
 * begin with `goodnet.` become metadata of the graph.
 * Throws `FormatError` (`not-hdf5`, `git-lfs-pointer`, `corrupt-hdf5`, `no-model`, `no-layers`, `bad-config`), `UnsupportedError`
 * (`unsupported-layer`, `unsupported-activation`, `unsupported-model`) or `InputError` (`architecture-needed`, `weights-missing`,
 * `shape-mismatch`, `not-finite`).
 */
export async function openKeras(bytes: Uint8Array, options: OpenKerasOptions = {}): Promise<Graph> {
	const { path = 'model.h5', architecture } = options
	return withHdf5(bytes, path, (file) => {
		const own = ownArchitecture(file, path)
		const readWeights = weightsIn(file, path)
		if (!own && !readWeights) throw explainAbsence(file, path)
		const model = own ?? architecture
		if (!model) throw architectureNeeded(path)
		assertSupported(model)
		if (!readWeights) throw noWeights(model, path)
		return { ...translate(model, readWeights), metadata: ownMetadata(file) }
	})
}

/** How attributes begin that are ours: they say of an `.h5` what the metadata of an ONNX file say, and Keras passes over them. */
const OWN_PREFIX = 'goodnet.'

function ownMetadata(file: Hdf5File): Map<string, string> {
	const names = file.attributeNames('/').filter((name) => name.startsWith(OWN_PREFIX))
	return new Map(names.map((name) => [name, file.strings('/', name)?.[0] ?? '']))
}

/** A reader of the file's weights, by name or by number as they are kept; undefined where it has none. */
function weightsIn(file: Hdf5File, path: string): ReadWeights | undefined {
	const root = weightsRoot(file)
	if (root !== undefined) return namedWeights(file, root, path)
	return hasNumberedWeights(file) ? numberedWeights(file, path) : undefined
}

/**
 * The architecture in `bytes`: of a whole-model `.h5` or `.keras`, or the text of Keras' `to_json()`. `path` is for messages.
 * Throws `FormatError` (`bad-config`, `no-model`, and those of damaged files) or `UnsupportedError`.
 */
export async function readArchitecture(bytes: Uint8Array, path = 'architecture'): Promise<KerasArchitecture> {
	if (matchKerasArchive(bytes)) return readArchivedArchitecture(bytes, path)
	if (!isHdf5(bytes)) return parseArchitecture(parseJson(new TextDecoder().decode(bytes), path))
	return withHdf5(bytes, path, (file) => {
		const architecture = ownArchitecture(file, path)
		if (!architecture) throw noModel(path, 'it has no model_config')
		return architecture
	})
}

function ownArchitecture(file: Hdf5File, path: string): KerasArchitecture | undefined {
	const text = file.strings('/', 'model_config')?.[0]
	if (text === undefined) return undefined
	return parseArchitecture(parseJson(text, `${path}: model_config`), file.strings('/', 'keras_version')?.[0])
}

function architectureNeeded(path: string): InputError {
	return new InputError(
		'architecture-needed',
		`${path}: holds weights only: name its architecture with --architecture FILE (another .h5 or .keras of the same net, or Keras' to_json())`,
		{ path },
	)
}

/** Why an HDF5 file with neither architecture nor weights is no model. */
function explainAbsence(file: Hdf5File, path: string): GoodnetError {
	const names = file.keys('/')
	if (names.includes('data') || names.includes('label')) {
		const found = names.slice(0, 5).join(', ')
		return noModel(path, `it looks like a data set (${found}): give it to --valid, --test or --poisoned`)
	}
	if (names.includes('_layer_checkpoint_dependencies')) {
		return new UnsupportedError(
			'unsupported-model',
			`${path}: weights as TensorFlow 2.12 to 2.15 laid them out are not supported: save the whole model as .h5`,
			{ path },
		)
	}
	return noModel(path, 'it has no layers')
}

function noModel(path: string, detail: string): FormatError {
	return new FormatError('no-model', `${path}: expected a Keras model, found an HDF5 file without one: ${detail}`, {
		path,
	})
}

function noWeights({ calls }: KerasArchitecture, path: string): InputError {
	const layer = calls[0]?.layer
	return new InputError(
		'weights-missing',
		`${path}: holds an architecture without weights: nothing for layer ${layer?.name} (${layer?.className}) and those after it`,
		{ path, layer: layer?.name },
	)
}
