/** Keras' own file format `.keras`: a zip archive of the architecture (`config.json`), the version (`metadata.json`) and the weights. */
import { FormatError, InputError, UnsupportedError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { isSameBytes } from '../../graph/slices.ts'
import { isZip, openZip, readZipEntry, replaceZipEntry, type ZipArchive, type ZipEntry } from '../zip.ts'
import type { KerasArchitecture } from './architecture.ts'
import { parseArchitecture } from './calls.ts'
import { withHdf5 } from './hdf5.ts'
import { isObject, parseJson } from './json.ts'
import { hasNumberedWeights, numberedWeights } from './numbered-weights.ts'
import { assertSupported, translate } from './translate.ts'
import { writeBackKeras } from './write-back.ts'

const CONFIG = 'config.json'
const METADATA = 'metadata.json'
const WEIGHTS = 'model.weights.h5'

/** The longest architecture in use is some hundred kB; this is far beyond, and no burden to parse. */
const MAX_JSON_BYTES = 2 ** 26
/** The HDF5 library works on a copy in memory of at most 2 GiB; no archive without zip64 holds much more. */
const MAX_WEIGHT_BYTES = 2 ** 31 - 1
/** A zip archive names its entries at its start or, at the latest, in the directory at its end. */
const NAMES_WITHIN = 2 ** 12

/** Whether `bytes` are a zip archive with a Keras model's entries. */
export function matchKerasArchive(bytes: Uint8Array): boolean {
	if (!isZip(bytes)) return false
	const ends = [bytes.subarray(0, NAMES_WITHIN), bytes.subarray(-NAMES_WITHIN)]
	const names = ends.map((end) => new TextDecoder('latin1').decode(end)).join()
	return names.includes(CONFIG) || names.includes(WEIGHTS)
}

/**
 * The model in the archive `bytes`. Its weights carry their origin, so that `writeBackKerasArchive` can put a repair back.
 * Throws as `openKeras` does, and `FormatError` (`corrupt-zip`, `too-large`, `no-model`) or `UnsupportedError` (`unsupported-zip`).
 */
export async function openKerasArchive(bytes: Uint8Array, path: string): Promise<Graph> {
	const archive = openZip(bytes, path)
	const architecture = architectureOf(archive)
	assertSupported(architecture)
	const weights = readZipEntry(archive, weightsEntry(archive), MAX_WEIGHT_BYTES)
	return withHdf5(weights, `${path}/${WEIGHTS}`, (file) => {
		if (!hasNumberedWeights(file)) throw oldLayout(path)
		return translate(architecture, numberedWeights(file, path))
	})
}

/** The architecture in the archive `bytes`, for weights that stand in another file. */
export function readArchivedArchitecture(bytes: Uint8Array, path: string): KerasArchitecture {
	return architectureOf(openZip(bytes, path))
}

/** A copy of the archive `bytes` with the weights that `after` has changed, and every other byte as it was; see `writeBackKeras`. */
export async function writeBackKerasArchive(
	bytes: Uint8Array,
	before: Graph,
	after: Graph,
): Promise<Uint8Array<ArrayBuffer>> {
	const archive = openZip(bytes, 'model.keras')
	const entry = weightsEntry(archive)
	const weights = readZipEntry(archive, entry, MAX_WEIGHT_BYTES)
	const changed = await writeBackKeras(weights, before, after)
	return isSameBytes(weights, changed) ? new Uint8Array(bytes) : replaceZipEntry(archive, entry, changed)
}

function architectureOf(archive: ZipArchive): KerasArchitecture {
	const { path } = archive
	const config = readJson(archive, CONFIG)
	if (config === undefined) {
		throw new FormatError('no-model', `${path}: expected a Keras model, found a zip archive without ${CONFIG}`, {
			path,
		})
	}
	const metadata = readJson(archive, METADATA)
	const version = isObject(metadata) ? metadata.keras_version : undefined
	return parseArchitecture(config, typeof version === 'string' ? version : '3')
}

function readJson(archive: ZipArchive, name: string): unknown {
	const entry = archive.entries.find((each) => each.name === name)
	if (!entry) return undefined
	const text = new TextDecoder().decode(readZipEntry(archive, entry, MAX_JSON_BYTES))
	return parseJson(text, `${archive.path}: ${name}`)
}

function weightsEntry({ entries, path }: ZipArchive): ZipEntry {
	const entry = entries.find(({ name }) => name === WEIGHTS)
	if (entry) return entry
	const found = entries.map(({ name }) => name).slice(0, 5)
	const message = `${path}: expected the weights as ${WEIGHTS}, found ${found.join(', ')}; save the model again with Keras`
	throw new InputError('weights-missing', message, { path })
}

/** TensorFlow 2.12 to 2.15 wrote `.keras` files that call and number the groups in another way. */
function oldLayout(path: string): UnsupportedError {
	const message = `${path}: its weights are laid out as before Keras 3; load it with the TensorFlow that wrote it and save it as .h5`
	return new UnsupportedError('unsupported-model', message, { path })
}
