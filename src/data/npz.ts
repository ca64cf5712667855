/** Labelled images in a NumPy `.npz` archive: a zip file of `.npy` files. Zip cannot be read by range, so the arrays are held whole. */
import { readFile, stat } from 'node:fs/promises'
import { unzipSync } from 'fflate'
import { FormatError, GoodnetError, InputError, messageOf, UnsupportedError } from '../errors.ts'
import { MAX_COMPRESSION } from './byte-source.ts'
import { sha256OfFile } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import { parseLabels } from './labels.ts'
import { readLayout } from './layout.ts'
import { IMAGE_NAMES, LABEL_NAMES } from './names.ts'
import { type NpyHeader, readNpyHeader } from './npy-header.ts'
import { bytesPerValue, type NumericArray, narrow, pixelStorage, viewNumbers } from './numbers.ts'
import type { OpenOptions } from './options.ts'
import { imageSet } from './pixels.ts'

/** Archive and inflated arrays must fit into memory: CIFAR-10 whole is 184 MB, the lab's 700 MB of float64 still fits. */
export const MAX_NPZ_BYTES = 2 ** 30

interface NpyArray extends NpyHeader {
	readonly bytes: Uint8Array
	readonly title: string
}

/**
 * Opens the archive `path`: images under one of `IMAGE_NAMES`, labels under one of `LABEL_NAMES`, or as `options.names` says.
 * @throws FormatError on a corrupt archive or one that is not numpy's, UnsupportedError `too-large` beyond 1 GiB, InputError as
 *   `readLayout`, `parseLabels` and `imageSet` do
 */
export async function openNpzImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const { size } = await stat(path)
	if (size > MAX_NPZ_BYTES) throw tooLarge(path, size)
	const zip = await readFile(path)
	const present = new Set(listArrays(zip, path))
	const imageName = pick(present, options.names?.images ? [options.names.images] : IMAGE_NAMES)
	if (imageName === undefined) throw noImages(path, present)
	const labelName = pick(present, options.names?.labels ? [options.names.labels] : LABEL_NAMES)
	if (options.names?.labels && labelName === undefined) {
		const message = `${path}: expected an array "${options.names.labels}" with labels, found ${quoted(present)}`
		throw new InputError('no-labels', message, { path })
	}
	const arrays = inflate(zip, [imageName, labelName], path)
	const images = parseArray(arrays, imageName, path)
	const count = images.dims[0] ?? 0
	const labels = labelName === undefined ? null : parseArray(arrays, labelName, path)
	const valuesPerImage = images.dims.slice(1).reduce((product, dim) => product * dim, 1)
	return imageSet({
		path,
		title: images.title,
		count,
		...readLayout(images.dims, options, images.title, path),
		storage: pixelStorage(images.type),
		labels: labels && parseLabels(valuesOf(labels), count, labels.title, path),
		classNames: null,
		read: (start, _count, target) => narrow(valuesOf(images, start * valuesPerImage, target.length), target),
		sha256: () => sha256OfFile(path),
		close() {},
	})
}

function valuesOf(array: NpyArray, start = 0, length?: number): NumericArray {
	const size = bytesPerValue(array.type)
	const count = length ?? array.dims.reduce((product, dim) => product * dim, 1)
	return viewNumbers(array.type, array.bytes, array.byteOffset + start * size, count)
}

function listArrays(zip: Uint8Array, path: string): string[] {
	const names: string[] = []
	unzip(zip, path, ({ name }) => {
		if (name.endsWith('.npy')) names.push(name.slice(0, -'.npy'.length))
		return false
	})
	return names
}

/** Inflates only the arrays asked for, and none before all of them are known to fit. */
function inflate(zip: Uint8Array, names: readonly (string | undefined)[], path: string): Record<string, Uint8Array> {
	let total = 0
	return unzip(zip, path, ({ name, size, originalSize }) => {
		if (!names.some((wanted) => name === `${wanted}.npy`)) return false
		total += originalSize
		if (total > MAX_NPZ_BYTES) throw tooLarge(path, total)
		if (originalSize > size * MAX_COMPRESSION + 64) {
			const message = `${path}: "${name}" claims ${originalSize} bytes from ${size}, more than deflate can hold; the archive is damaged`
			throw new FormatError('corrupt-npz', message, { path })
		}
		return true
	})
}

interface ZipEntry {
	readonly name: string
	readonly size: number
	readonly originalSize: number
}

function unzip(zip: Uint8Array, path: string, filter: (entry: ZipEntry) => boolean): Record<string, Uint8Array> {
	try {
		return unzipSync(zip, { filter })
	} catch (error) {
		if (error instanceof GoodnetError) throw error
		const message = `${path}: expected a sound .npz archive, found a truncated or damaged one (${messageOf(error)})`
		throw new FormatError('corrupt-npz', message, { path, cause: error })
	}
}

function parseArray(arrays: Record<string, Uint8Array>, name: string, path: string): NpyArray {
	const title = `"${name}" in ${path}`
	const bytes = arrays[`${name}.npy`]
	if (!bytes) throw new FormatError('corrupt-npz', `${title}: expected an array, found none`, { path })
	return { ...readNpyHeader(bytes, bytes.length, title), bytes, title }
}

function pick(present: ReadonlySet<string>, names: readonly string[]): string | undefined {
	return names.find((name) => present.has(name))
}

function quoted(names: Iterable<string>): string {
	const list = [...names].slice(0, 8).map((name) => `"${name}"`)
	return list.join(', ') || 'none'
}

function noImages(path: string, present: ReadonlySet<string>): GoodnetError {
	if (present.size === 0) {
		return new FormatError(
			'corrupt-npz',
			`${path}: expected an .npz archive of numpy arrays, found a zip file without any`,
			{ path },
		)
	}
	const message = `${path}: expected images under ${quoted(IMAGE_NAMES)}, found ${quoted(present)}; name them as in ${path}:images,labels`
	return new InputError('no-images', message, { path })
}

function tooLarge(path: string, bytes: number): UnsupportedError {
	const message = `${path}: expected at most ${MAX_NPZ_BYTES} bytes in an .npz archive, found ${bytes}; use HDF5 or .npy, which are streamed`
	return new UnsupportedError('too-large', message, { path })
}
