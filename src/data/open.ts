/** Opens any image set that goodnet reads, recognised by its bytes first and its name second. */
import { readdir, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { FormatError, GoodnetError, InputError, messageOf, UsageError } from '../errors.ts'
import { GZIP_SIGNATURE } from './byte-source.ts'
import { cifarParts, openCifarFile, openCifarFolder } from './cifar.ts'
import { isCifarSize } from './cifar-format.ts'
import { openCsvImages } from './csv.ts'
import { type DataPath, parsePartNames, readingsOf } from './data-path.ts'
import { IMAGE_EXTENSIONS, isImage } from './decode.ts'
import { openFolder } from './folder.ts'
import { openHdf5Images } from './hdf5.ts'
import { HDF5_SIGNATURE } from './hdf5-file.ts'
import { readHead, startsWith } from './head.ts'
import { openIdxImages } from './idx.ts'
import { hasIdxLength, isIdx, MAX_IDX_HEADER_BYTES } from './idx-header.ts'
import { openImageFiles } from './image-file.ts'
import type { ImageSet } from './image-set.ts'
import { openNpyImages } from './npy.ts'
import { NPY_SIGNATURE } from './npy-header.ts'
import { openNpzImages } from './npz.ts'
import type { OpenOptions } from './options.ts'
import { openParquetFolder, openParquetImages, parquetParts } from './parquet.ts'
import { PARQUET_SIGNATURE } from './parquet-file.ts'

const ZIP_SIGNATURE = Uint8Array.of(0x50, 0x4b, 0x03, 0x04)

/** Extensions of model files that look like nothing we read, or like an archive of arrays. */
const MODEL_EXTENSIONS = ['.onnx', '.keras']

type Opener = (path: string, options: OpenOptions) => Promise<ImageSet>

/** A format: how to open it, and what may stand behind a colon. */
interface Format {
	readonly open: Opener
	/** `both`: `images,labels`; `labels`: the path is the images; `none`: it has no parts with names. */
	readonly names: 'both' | 'labels' | 'none'
}

const HDF5: Format = { open: openHdf5Images, names: 'both' }
const NPZ: Format = { open: openNpzImages, names: 'both' }
const PARQUET: Format = { open: openParquetImages, names: 'both' }
const CSV: Format = { open: openCsvImages, names: 'both' }
const IDX: Format = { open: openIdxImages, names: 'labels' }
const CIFAR: Format = { open: openCifarFile, names: 'labels' }
const NPY: Format = { open: openNpyImages, names: 'none' }
const PICTURE: Format = { open: (path, options) => openImageFiles([path], options), names: 'none' }

const CIFAR_FOLDER: Format = { open: openCifarFolder, names: 'both' }
const PARQUET_FOLDER: Format = { open: openParquetFolder, names: 'both' }
const PICTURE_FOLDER: Format = { open: openFolder, names: 'labels' }

/** Formats whose first bytes say nothing, or were not recognised: the reader that the name promises says what is wrong. */
const BY_EXTENSION: Readonly<Record<string, Format>> = {
	...Object.fromEntries(IMAGE_EXTENSIONS.map((extension) => [extension, PICTURE])),
	'.h5': HDF5,
	'.hdf5': HDF5,
	'.npy': NPY,
	'.npz': NPZ,
	'.parquet': PARQUET,
	'.csv': CSV,
	'.bin': CIFAR,
	'.idx': IDX,
}

/**
 * Opens the images at `path`: HDF5, `.npz`, `.npy`, IDX, CIFAR binary, Parquet, a CSV of labels, a picture file, or a folder. `path` may carry
 * behind a colon what it does not tell itself (see `PartNames`); `options.names` goes before that. The caller closes the set.
 * @throws InputError `not-found`, `unreadable`; FormatError `unknown-format`, `model-not-data`; UsageError `bad-names`; and as the reader
 *   of the format does
 */
export async function openImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const reading = await findReading(path)
	if (!reading)
		throw new InputError('not-found', `${path}: expected a data file or folder, found nothing there`, { path })
	try {
		const format = await formatOf(reading.path)
		return await format.open(reading.path, { ...options, names: options.names ?? namesOf(reading, format) })
	} catch (error) {
		if (error instanceof GoodnetError) throw error
		const message = `${reading.path}: cannot be read (${messageOf(error)})`
		throw new InputError('unreadable', message, { path: reading.path, cause: error })
	}
}

async function findReading(text: string): Promise<DataPath | undefined> {
	for (const reading of readingsOf(text)) if (await stat(reading.path).catch(() => null)) return reading
	return undefined
}

function namesOf({ path, names }: DataPath, format: Format): OpenOptions['names'] {
	if (names === undefined) return undefined
	if (format.names === 'labels') return { labels: names }
	if (format.names === 'both') return parsePartNames(names)
	throw new UsageError('bad-names', `${path} is one array of images, expected nothing behind it, found ":${names}"`)
}

async function formatOf(path: string): Promise<Format> {
	const stats = await stat(path)
	if (stats.isDirectory()) return folderFormat(path)
	// A pipe or device cannot be read twice nor by range, and may never end.
	if (!stats.isFile()) throw unknownFormat(path)
	const head = await readHead(path, MAX_IDX_HEADER_BYTES)
	const extension = extname(path).toLowerCase()
	if (startsWith(head, HDF5_SIGNATURE)) return HDF5
	if (startsWith(head, NPY_SIGNATURE)) return NPY
	if (startsWith(head, PARQUET_SIGNATURE)) return PARQUET
	if (MODEL_EXTENSIONS.includes(extension)) {
		const message = `${path} is a model by its name, expected images; the model goes where the model is asked for`
		throw new FormatError('model-not-data', message, { path })
	}
	if (startsWith(head, ZIP_SIGNATURE)) return NPZ
	if (startsWith(head, GZIP_SIGNATURE)) return IDX
	if (isImage(head)) return PICTURE
	// CIFAR's first record can begin as an IDX file does: a black airplane.
	const isCifar = extension === '.bin' && isCifarSize(stats.size) && !hasIdxLength(head, stats.size)
	if (isIdx(head) && !isCifar) return IDX
	const format = BY_EXTENSION[extension]
	if (format) return format
	throw unknownFormat(path)
}

async function folderFormat(path: string): Promise<Format> {
	const names = await readdir(path)
	if (cifarParts(names).length > 0) return CIFAR_FOLDER
	return parquetParts(names).length > 0 ? PARQUET_FOLDER : PICTURE_FOLDER
}

function unknownFormat(path: string): FormatError {
	const accepted =
		'HDF5 (.h5), .npz, .npy, IDX (also .gz), CIFAR binary (.bin), Parquet, a CSV of labels, a PNG, JPEG, WebP, PGM or PPM file, or a folder with one sub-folder of pictures per class'
	return new FormatError('unknown-format', `${path}: expected ${accepted}; found none of these`, { path })
}
