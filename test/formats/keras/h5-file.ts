/** Writes small Keras files for tests with the HDF5 library itself. */
import { File, type Group, ready } from 'h5wasm'
import type { NdArray } from './run.ts'

/** One weight: its name below the layer's group, and its array, stored as float32 where nothing else is said. */
export interface StoredWeight extends NdArray {
	readonly name: string
	readonly double?: boolean
	/** A larger shape for the dataset to grow to, with nothing stored there. */
	readonly claims?: readonly number[]
	/** To be stored as float16: the float32 numbers to look for in the file, and the halves to put there. */
	readonly halfBytes?: { readonly values: Float32Array; readonly half: Uint16Array }
}

/** The datatype message of IEEE float32 and of float16 in an HDF5 file (file format specification, IV.A.2.d). */
const FLOAT32 = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]
const FLOAT16 = [0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]

let written = 0

/** A whole-model `.h5`, or a weights-only one where `config` is null. */
export async function kerasFile(config: object | null, layers: Readonly<Record<string, readonly StoredWeight[]>>) {
	const module = await ready
	written += 1
	const name = `/test-file-${written}.h5`
	// The oldest format, as h5py writes it: its headers carry no checksums, so tests may damage them.
	const file = new File(name, 'w', { libver: ['earliest', 'latest'] })
	if (config) file.create_attribute('model_config', JSON.stringify(config))
	const root = config ? file.create_group('model_weights') : file
	root.create_attribute('layer_names', Object.keys(layers))
	for (const [layer, weights] of Object.entries(layers)) writeLayer(root.create_group(layer), weights)
	file.close()
	const bytes = new Uint8Array(module.FS.readFile(name))
	module.FS.unlink(name)
	for (const { halfBytes } of Object.values(layers).flat()) if (halfBytes) turnIntoHalf(bytes, halfBytes)
	return bytes
}

function writeLayer(group: Group, weights: readonly StoredWeight[]): void {
	if (weights.length === 0) return
	group.create_attribute(
		'weight_names',
		weights.map((weight) => weight.name),
	)
	for (const { name, dims, values, double, claims } of weights) {
		const [folder] = name.split('/')
		if (name.includes('/') && !group.keys().includes(folder!)) group.create_group(folder!)
		const data = double ? Float64Array.from(values) : Float32Array.from(values)
		const growth = claims ? { maxshape: dims.map(() => null), chunks: [...dims] } : {}
		const dataset = group.create_dataset({ name, data, shape: [...dims], ...growth })
		if (claims) dataset.resize([...claims])
	}
}

/** h5wasm writes no float16, so the only float32 dataset of the file gets another datatype, and `half` at its start. */
function turnIntoHalf(bytes: Uint8Array, { values, half }: { values: Float32Array; half: Uint16Array }): void {
	const file = Buffer.from(bytes.buffer)
	bytes.set(FLOAT16, file.indexOf(Uint8Array.from(FLOAT32)))
	bytes.set(new Uint8Array(half.buffer), file.indexOf(new Uint8Array(values.buffer)))
}
