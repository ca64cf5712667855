/**
 * `weightsManifest` of a TF.js model: which files hold the weights, and in which order. The shards of a group, put together, are its weights
 * one behind the other, with no padding (github.com/tensorflow/tfjs, tfjs-core/src/io/types.ts, `WeightsManifestEntry`).
 */
import { FormatError, UnsupportedError } from '../../errors.ts'
import { elementCount } from '../../graph/graph.ts'
import { MAX_MODEL_BYTES } from '../beside.ts'
import { asArray, asName, asObject, badConfig, isObject } from '../keras/json.ts'

/** Bytes per element as stored. Strings have no fixed size, and no image classifier needs them or complex numbers. */
const BYTES: ReadonlyMap<unknown, number> = new Map([
	['float32', 4],
	['int32', 4],
	['float16', 2],
	['uint16', 2],
	['uint8', 1],
	['bool', 1],
])

/** `value = scale * stored + min` (tfjs-core/src/io/io_utils.ts). */
export interface Affine {
	readonly scale: number
	readonly min: number
}

/** One weight in a group of shards. */
export interface ManifestWeight {
	readonly name: string
	readonly dims: readonly number[]
	/** How its numbers are stored: `float32` plainly, `float16` to be widened, `uint8` and `uint16` by `affine`; others are no weights. */
	readonly stored: string
	readonly affine: Affine | null
	/** Where it stands in the bytes of its group. */
	readonly start: number
	readonly end: number
}

export interface ManifestGroup {
	/** Names of the files, in order. */
	readonly paths: readonly string[]
	readonly weights: readonly ManifestWeight[]
	/** Bytes of all its weights. */
	readonly bytes: number
}

/** Throws `FormatError` (`bad-config`, `too-large`) or `UnsupportedError` (`unsupported-dtype`). */
export function parseManifest(json: unknown, path: string): ManifestGroup[] {
	const what = `${path}: weightsManifest`
	const groups = asArray(json ?? [], what).map((group) => {
		const { paths, weights } = asObject(group, what)
		const names = asArray(paths, `${what}: paths`).map((name) => asName(name, `${what}: paths`))
		return { paths: names, ...placeWeights(asArray(weights, `${what}: weights`), what) }
	})
	const total = groups.reduce((sum, { bytes }) => sum + bytes, 0)
	if (total <= MAX_MODEL_BYTES) return groups
	throw new FormatError('too-large', `${what}: expected at most ${MAX_MODEL_BYTES} bytes, found ${total}`, { path })
}

function placeWeights(list: readonly unknown[], what: string): Pick<ManifestGroup, 'weights' | 'bytes'> {
	let start = 0
	const weights = list.map((item): ManifestWeight => {
		const weight = parseWeight(item, start, what)
		start = weight.end
		return weight
	})
	return { weights, bytes: start }
}

function parseWeight(json: unknown, start: number, what: string): ManifestWeight {
	const { name: given, shape, dtype, quantization } = asObject(json, what)
	const name = asName(given, `${what}: name of a weight`)
	const where = `${what}: weight ${name}`
	const dims = asArray(shape, `${where}: shape`).map((size) => {
		if (Number.isSafeInteger(size) && Number(size) >= 0) return Number(size)
		throw badConfig(`${where}: shape`, 'whole numbers from 0', size)
	})
	const stored = isObject(quantization) ? quantization.dtype : dtype
	const size = BYTES.get(stored)
	if (size === undefined || typeof stored !== 'string') {
		const message = `${where}: stored as ${JSON.stringify(stored)}; expected one of ${[...BYTES.keys()].join(', ')}`
		throw new UnsupportedError('unsupported-dtype', message, { layer: name })
	}
	const isAffine = isObject(quantization) && stored !== 'float16'
	return {
		name,
		dims,
		stored,
		affine: isAffine ? { scale: finite(quantization.scale, where), min: finite(quantization.min, where) } : null,
		start,
		end: start + elementCount(dims) * size,
	}
}

function finite(value: unknown, where: string): number {
	if (typeof value === 'number' && Number.isFinite(value)) return value
	throw badConfig(`${where}: quantization`, 'a finite scale and min', value)
}
