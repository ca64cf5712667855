/** Image sets in HDF5, as the backdoor lab (CSAW HackML 2020) and many others store them: `data` `[N, …]` and `label` `[N]`. */
import { FormatError, InputError } from '../errors.ts'
import { sha256OfFile } from './hash.ts'
import { type Hdf5Array, type Hdf5File, openHdf5File } from './hdf5-file.ts'
import type { ImageSet } from './image-set.ts'
import { parseLabels } from './labels.ts'
import { readLayout } from './layout.ts'
import { IMAGE_NAMES, LABEL_NAMES } from './names.ts'
import { bytesPerValue, narrow, pixelStorage } from './numbers.ts'
import type { OpenOptions, PartNames } from './options.ts'
import { imageSet, type Pixels } from './pixels.ts'

/** Rows are read from disk in pieces of about this size. A 700 MB file then takes 90 reads, and memory stays flat. */
const BLOCK_BYTES = 8 * 2 ** 20

/** Pieces are aligned to chunks, so that each chunk is inflated once, unless that takes more than this. */
const MAX_ALIGNED_BYTES = 64 * 2 ** 20

/** What a Keras model has at the file's root (`keras/src/legacy/saving/legacy_h5_format.py`). */
const MODEL_ATTRIBUTES = ['model_config', 'layer_names']

/**
 * Opens the HDF5 file `path`: images `[N, 3, H, W]`, `[N, H, W, C]` or `[N, H, W]` of any integer type, float32 or float64, and labels
 * `[N]` of any of these. Pixels stay on disk until `batches` asks for them.
 * @throws FormatError on a corrupt file or a model, UnsupportedError on what we cannot read, InputError as `readLayout`, `parseLabels`
 *   and `imageSet` do
 */
export async function openHdf5Images(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const file = await openHdf5File(path)
	try {
		return readSet(file, path, options)
	} catch (error) {
		file.close()
		throw error
	}
}

function readSet(file: Hdf5File, path: string, options: OpenOptions): ImageSet {
	const images = file.array(findImages(file, path, options.names))
	const title = `"${images.name}" in ${path}`
	const shape = readLayout(images.dims, options, title, path)
	const count = images.dims[0]!
	const storage = pixelStorage(images.type)
	const set = { path, title, count, ...shape, storage, classNames: null, sha256: () => sha256OfFile(path) } as const
	// Checked before the labels, so that an absurd count is refused before it is allocated.
	imageSet({ ...set, labels: null, read() {}, close() {} })
	const labels = readLabels(file, count, path, options.names)
	return imageSet({ ...set, labels, read: blockReader(file, images), close: closeOnce(file) })
}

function findImages(file: Hdf5File, path: string, names: PartNames | undefined): string {
	const wanted = names?.images === undefined ? IMAGE_NAMES : [names.images]
	const found = wanted.find(file.hasArray)
	if (found !== undefined) return found
	if (MODEL_ATTRIBUTES.some(file.hasAttribute)) {
		const message = `${path} holds a Keras model, expected images; the model goes where the model is asked for`
		throw new FormatError('model-not-data', message, { path })
	}
	const expected = wanted.map((name) => `"${name}"`).join(', ')
	const message = `${path}: expected a dataset ${expected}, found none; name it as in ${path}:images,labels`
	throw new InputError('no-images', message, { path })
}

function readLabels(file: Hdf5File, count: number, path: string, names: PartNames | undefined): Int32Array | null {
	const given = names?.labels
	const name = given ?? LABEL_NAMES.find(file.hasArray)
	if (name === undefined) return null
	if (!file.hasArray(name)) {
		throw new InputError('no-labels', `${path}: expected a dataset "${name}" with labels, found none`, { path })
	}
	const array = file.array(name)
	const title = `"${name}" in ${path}`
	if (array.dims.slice(1).some((dim) => dim !== 1)) {
		const message = `${title}: expected one number per image, found an array [${array.dims.join(', ')}]`
		throw new InputError('label-count', message, { path })
	}
	if (array.dims[0] !== count) {
		const message = `${title}: expected one label per image (${count}), found ${array.dims[0] ?? 1}`
		throw new InputError('label-count', message, { path })
	}
	return file.withRows(array, 0, count, (values) => parseLabels(values, count, title, path))
}

/** Reads rows through one block, kept for the next call: batches rarely end where chunks do. */
function blockReader(file: Hdf5File, array: Hdf5Array): (start: number, count: number, target: Pixels) => void {
	const total = array.dims[0]!
	const rowLength = array.dims.slice(1).reduce((product, dim) => product * dim, 1)
	const rows = Math.min(total, rowsPerBlock(array, rowLength * bytesPerValue(array.type)))
	const Block = pixelStorage(array.type) === 'uint8' ? Uint8Array : Float32Array
	let block: Pixels | undefined
	let blockStart = -1

	const load = (start: number): Pixels => {
		if (block && blockStart === start) return block
		const count = Math.min(rows, total - start)
		block ??= new Block(rows * rowLength)
		blockStart = -1
		const filled = block.subarray(0, count * rowLength)
		file.withRows(array, start, count, (values) => narrow(values, filled))
		blockStart = start
		return block
	}
	return (start, count, target) => {
		for (let row = start; row < start + count; ) {
			const begin = row - (row % rows)
			const end = Math.min(begin + rows, start + count)
			const values = load(begin).subarray((row - begin) * rowLength, (end - begin) * rowLength)
			target.set(values, (row - start) * rowLength)
			row = end
		}
	}
}

function rowsPerBlock({ chunkRows }: Hdf5Array, rowBytes: number): number {
	const rows = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
	if (chunkRows === null || chunkRows * rowBytes > MAX_ALIGNED_BYTES) return rows
	return Math.max(1, Math.floor(rows / chunkRows)) * chunkRows
}

function closeOnce(file: Hdf5File): () => void {
	let isOpen = true
	return () => {
		if (isOpen) file.close()
		isOpen = false
	}
}
