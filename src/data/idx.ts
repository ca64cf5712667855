/** Images in the IDX format of MNIST and its kin, `.gz` or not, with the labels in a second file. */
import { stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { FormatError, InputError } from '../errors.ts'
import {
	type ByteSource,
	checkGzipLength,
	GZIP_SIGNATURE,
	openFileBytes,
	openGzipBytes,
	peekGzip,
} from './byte-source.ts'
import { sha256OfFile, sha256OfFiles } from './hash.ts'
import { readHead, startsWith } from './head.ts'
import { type IdxHeader, isIdx, MAX_IDX_HEADER_BYTES, readIdxHeader } from './idx-header.ts'
import type { ImageSet } from './image-set.ts'
import { parseLabels } from './labels.ts'
import { findLabelsFile, isFile } from './labels-file.ts'
import { readLayout } from './layout.ts'
import type { OpenOptions } from './options.ts'
import { imageSet } from './pixels.ts'

interface IdxFile extends IdxHeader, ByteSource {
	readonly path: string
}

/**
 * Opens the IDX file `path`: bytes `[N, H, W]`, `[N, C, H, W]`, `[N, H, W, C]`, or `[N, values]` where the model tells the shape of an image. Labels
 * come from `options.names.labels`, else from the file that is called as usual (`…-images-idx3-ubyte` has `…-labels-idx1-ubyte` beside it, `.gz`
 * or not); without one the set is unlabelled. Pixels stay on disk: of a gzip file no more than a batch is inflated at a time, and it is
 * inflated once beforehand to see that it is whole. `sha256` covers both files where there are two.
 * @throws FormatError `corrupt-idx`, `truncated-file`, `corrupt-gzip`; UnsupportedError as `readIdxHeader` does; InputError `no-labels`,
 *   `labels-not-images`, and as `readLayout`, `parseLabels` and `imageSet` do
 */
export async function openIdxImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const images = await openIdxFile(path)
	try {
		const dims = imageDims(images, options)
		const shape = readLayout(dims, options, path, path)
		const count = dims[0]!
		const set = { path, title: path, count, ...shape, storage: 'uint8', classNames: null } as const
		// Checked before the labels, so that an absurd count is refused before it is allocated.
		imageSet({ ...set, labels: null, read() {}, sha256: () => sha256OfFile(path), close() {} })
		const labelsPath = await findLabels(path, options.names?.labels)
		const valuesPerImage = shape.height * shape.width * shape.channels
		return imageSet({
			...set,
			labels: labelsPath === null ? null : await readLabels(labelsPath, count),
			// The storage is bytes, and so is the target.
			read: (start, _count, target) => images.read(images.byteOffset + start * valuesPerImage, target as Uint8Array),
			sha256: () => (labelsPath === null ? sha256OfFile(path) : sha256OfBoth(path, labelsPath)),
			close: () => images.close(),
		})
	} catch (error) {
		images.close()
		throw error
	}
}

/** Opens an IDX file and sees that it is as long as its header says. */
async function openIdxFile(path: string): Promise<IdxFile> {
	const head = await readHead(path, MAX_IDX_HEADER_BYTES)
	if (startsWith(head, GZIP_SIGNATURE)) {
		const inflated = await peekGzip(path, MAX_IDX_HEADER_BYTES)
		if (!isIdx(inflated)) {
			const message = `${path}: expected a gzipped IDX file, found another gzip file; unpack archives first`
			throw new FormatError('corrupt-idx', message, { path })
		}
		const header = readIdxHeader(inflated, path)
		await checkGzipLength(path, header.byteLength)
		return { path, ...header, ...openGzipBytes(path) }
	}
	const header = readIdxHeader(head, path)
	const { size } = await stat(path)
	if (size !== header.byteLength) {
		const message = `${path}: expected ${header.byteLength} bytes as its header [${header.dims.join(', ')}] says, found ${size}; the file is truncated or damaged`
		throw new FormatError('truncated-file', message, { path })
	}
	return { path, ...header, ...(await openFileBytes(path)) }
}

/** The dims as those of images: rows `[N, values]` get the model's shape. */
function imageDims({ dims, path }: IdxFile, { expected, layout }: OpenOptions): readonly number[] {
	if (dims.length === 1) {
		const message = `${path}: expected images, found [${dims[0]}], one byte each: a labels file; name the images, ${path.replace(/labels([-.])idx1/, 'images$1idx3')}`
		throw new InputError('labels-not-images', message, { path })
	}
	const [count, values] = dims
	if (dims.length > 2 || !expected || count === undefined) return dims
	const { height, width, channels } = expected
	if (height * width * channels !== values) return dims
	if (channels === 1) return [count, height, width]
	if (layout === undefined) {
		const message = `${path}: [${count}, ${values}] can be read with colours first or last; say which with --layout NCHW|NHWC`
		throw new InputError('ambiguous-layout', message, { path })
	}
	return layout === 'NCHW' ? [count, channels, height, width] : [count, height, width, channels]
}

/** The file that holds the labels of the images `path`; null where none is named and none lies where it usually does. */
async function findLabels(path: string, named: string | undefined): Promise<string | null> {
	const folder = dirname(path)
	if (named !== undefined) return findLabelsFile(named, folder, path)
	const name = basename(path)
	const usual = name.replace(/images([-.])idx\d/, 'labels$1idx1')
	if (usual === name) return null
	const plain = usual.replace(/\.gz$/, '')
	for (const candidate of [usual, plain, `${plain}.gz`]) {
		if (await isFile(join(folder, candidate))) return join(folder, candidate)
	}
	return null
}

async function readLabels(path: string, count: number): Promise<Int32Array> {
	const file = await openIdxFile(path)
	try {
		if (file.dims.length !== 1 || file.dims[0] !== count) {
			const message = `${path}: expected one label per image (${count}), found [${file.dims.join(', ')}]`
			throw new InputError('label-count', message, { path })
		}
		const bytes = new Uint8Array(count)
		await file.read(file.byteOffset, bytes)
		return parseLabels(bytes, count, path, path)
	} finally {
		file.close()
	}
}

function sha256OfBoth(path: string, labelsPath: string): Promise<string> {
	const folder = dirname(path)
	const files = [path, labelsPath].map((file) => relative(folder, file).split(sep).join('/'))
	return sha256OfFiles(folder, files)
}
