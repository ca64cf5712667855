/** Opens any image set that goodnet reads, recognised by its bytes first and its name second. */
import { open, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { FormatError, GoodnetError, InputError, messageOf } from '../errors.ts'
import { splitDataPath } from './data-path.ts'
import { IMAGE_EXTENSIONS, isImage } from './decode.ts'
import { openFolder } from './folder.ts'
import { openHdf5Images } from './hdf5.ts'
import { HDF5_SIGNATURE } from './hdf5-file.ts'
import { openImageFiles } from './image-file.ts'
import type { ImageSet } from './image-set.ts'
import { openNpyImages } from './npy.ts'
import { NPY_SIGNATURE } from './npy-header.ts'
import { openNpzImages } from './npz.ts'
import type { OpenOptions } from './options.ts'

/** Enough to recognise every format. */
const HEAD_BYTES = 16

const ZIP_SIGNATURE = Uint8Array.of(0x50, 0x4b, 0x03, 0x04)

/** Extensions of model files that look like nothing we read, or like an archive of arrays. */
const MODEL_EXTENSIONS = ['.onnx', '.keras']

/**
 * Opens the images at `path`: HDF5, `.npz`, `.npy`, a picture file, or a folder of pictures. `path` may carry the names of arrays inside
 * the file, `valid.h5:images,labels`; `options.names` goes before them. The caller closes the set.
 * @throws InputError `not-found`, `unreadable`; FormatError `unknown-format`, `model-not-data`; and as the reader of the format does
 */
export async function openImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const whole = await kindOf(path)
	const split = splitDataPath(path)
	const file = whole === 'absent' ? split.path : path
	const kind = whole === 'absent' ? await kindOf(file) : whole
	const names = options.names ?? (whole === 'absent' ? split.names : undefined)
	if (kind === 'absent') {
		throw new InputError('not-found', `${file}: expected a data file or folder, found nothing there`, { path: file })
	}
	try {
		return await openKind(file, kind, { ...options, names })
	} catch (error) {
		if (error instanceof GoodnetError) throw error
		throw new InputError('unreadable', `${file}: cannot be read (${messageOf(error)})`, { path: file, cause: error })
	}
}

type Kind = 'absent' | 'folder' | 'file' | 'other'

async function kindOf(path: string): Promise<Kind> {
	const stats = await stat(path).catch(() => null)
	if (!stats) return 'absent'
	if (stats.isDirectory()) return 'folder'
	return stats.isFile() ? 'file' : 'other'
}

async function openKind(path: string, kind: Kind, options: OpenOptions): Promise<ImageSet> {
	if (kind === 'folder') return openFolder(path, options)
	// A pipe or device cannot be read twice nor by range, and may never end.
	if (kind === 'other') throw unknownFormat(path)
	const head = await readHead(path)
	const extension = extname(path).toLowerCase()
	if (startsWith(head, HDF5_SIGNATURE)) return openHdf5Images(path, options)
	if (startsWith(head, NPY_SIGNATURE)) return openNpyImages(path, options)
	if (MODEL_EXTENSIONS.includes(extension)) {
		const message = `${path} is a model by its name, expected images; the model goes where the model is asked for`
		throw new FormatError('model-not-data', message, { path })
	}
	if (startsWith(head, ZIP_SIGNATURE)) return openNpzImages(path, options)
	if (isImage(head)) return openImageFiles([path], options)
	return openByName(path, extension, options)
}

/** Nothing was recognised: the reader that the name promises says what is wrong with the bytes. */
function openByName(path: string, extension: string, options: OpenOptions): Promise<ImageSet> {
	if (IMAGE_EXTENSIONS.includes(extension)) return openImageFiles([path], options)
	switch (extension) {
		case '.h5':
		case '.hdf5':
			return openHdf5Images(path, options)
		case '.npy':
			return openNpyImages(path, options)
		case '.npz':
			return openNpzImages(path, options)
		default:
			throw unknownFormat(path)
	}
}

async function readHead(path: string): Promise<Uint8Array> {
	const file = await open(path, 'r')
	try {
		const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
		return buffer.subarray(0, bytesRead)
	} finally {
		await file.close()
	}
}

function startsWith(bytes: Uint8Array, signature: Uint8Array): boolean {
	return signature.every((byte, i) => bytes[i] === byte)
}

function unknownFormat(path: string): FormatError {
	const accepted =
		'HDF5 (.h5), .npz, .npy, a PNG, JPEG, WebP, PGM or PPM file, or a folder with one sub-folder of pictures per class'
	return new FormatError('unknown-format', `${path}: expected ${accepted}; found none of these`, { path })
}
