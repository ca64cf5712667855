/** Images in a NumPy `.npy` file, read from disk piece by piece; and the writer behind `--logits FILE.npy`. */
import { type FileHandle, open } from 'node:fs/promises'
import { readFully } from './byte-source.ts'
import { sha256OfFile } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import { readLayout } from './layout.ts'
import { MAX_NPY_HEADER_BYTES, type NpyHeader, readNpyHeader } from './npy-header.ts'
import { bytesPerValue, narrow, pixelStorage, viewNumbers } from './numbers.ts'
import type { OpenOptions } from './options.ts'
import { imageSet, type Pixels } from './pixels.ts'

/**
 * Opens the unlabelled images in the `.npy` file `path`: `[N, 3, H, W]`, `[N, H, W, C]` or `[N, H, W]`.
 * @throws FormatError and UnsupportedError as `readNpyHeader` does, InputError as `readLayout` and `imageSet` do
 */
export async function openNpyImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const file = await open(path, 'r')
	try {
		const { size } = await file.stat()
		const head = await readBytes(file, 0, Math.min(size, MAX_NPY_HEADER_BYTES), path)
		const header = readNpyHeader(head, size, path)
		return imageSet({
			path,
			title: path,
			count: header.dims[0] ?? 0,
			...readLayout(header.dims, options, path, path),
			storage: pixelStorage(header.type),
			labels: null,
			classNames: null,
			read: (start, _count, target) => readPixels(file, header, start, target, path),
			sha256: () => sha256OfFile(path),
			// Closing a file that was open for reading cannot lose anything.
			close: () => void file.close(),
		})
	} catch (error) {
		await file.close()
		throw error
	}
}

async function readPixels(
	file: FileHandle,
	header: NpyHeader,
	start: number,
	target: Pixels,
	path: string,
): Promise<void> {
	const { type, byteOffset, dims } = header
	const valuesPerImage = dims.slice(1).reduce((product, dim) => product * dim, 1)
	const size = bytesPerValue(type)
	const bytes = await readBytes(file, byteOffset + start * valuesPerImage * size, target.length * size, path)
	narrow(viewNumbers(type, bytes, 0, target.length), target)
}

async function readBytes(file: FileHandle, position: number, length: number, path: string): Promise<Uint8Array> {
	const bytes = new Uint8Array(length)
	await readFully(file, position, bytes, path)
	return bytes
}

/** Arrays that `writeNpy` takes. */
export type NpyValues = Float32Array | Int32Array | Uint8Array

/** A `.npy` file (version 1.0, C order, `<f4`, `<i4` or `|u1`) holding `values` as an array of shape `dims`. */
export function writeNpy(dims: readonly number[], values: NpyValues): Uint8Array {
	const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ')
	const dictionary = `{'descr': '${descrOf(values)}', 'fortran_order': False, 'shape': (${shape}), }`
	// Values begin at a multiple of 64 bytes, and the header ends in a newline: so the format demands.
	const byteOffset = Math.ceil((10 + dictionary.length + 1) / 64) * 64
	const header = new TextEncoder().encode(`${dictionary.padEnd(byteOffset - 11)}\n`)
	const file = new Uint8Array(byteOffset + values.byteLength)
	file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >> 8])
	file.set(header, 10)
	file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), byteOffset)
	return file
}

function descrOf(values: NpyValues): string {
	if (values instanceof Uint8Array) return '|u1'
	return values instanceof Int32Array ? '<i4' : '<f4'
}
