/** CIFAR-10 and CIFAR-100 in their binary form: one file, or the folder they come in. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FormatError, InputError } from '../errors.ts'
import { type ByteSource, openFileBytes } from './byte-source.ts'
import { CIFAR_PIXELS, type CifarFormat, cifarFormat, recordLength } from './cifar-format.ts'
import { sha256OfFile, sha256OfFiles } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import { isFile } from './labels-file.ts'
import { readLayout } from './layout.ts'
import type { OpenOptions } from './options.ts'
import { choosePart, type Part } from './parts.ts'
import { imageSet, type Pixels } from './pixels.ts'

/** Records are read in pieces of this many: 0.8 MB. */
const BLOCK_RECORDS = 256

/** The names of CIFAR-100's classes take 1 kB. */
const MAX_NAMES_BYTES = 2 ** 16

/** Several files that are read as one set. */
interface CifarFiles {
	/** What the user named. */
	readonly path: string
	/** The files in the order of the set. */
	readonly files: readonly string[]
	sha256(): Promise<string>
}

interface CifarFile {
	readonly path: string
	readonly count: number
	readonly bytes: ByteSource
}

/**
 * Opens one file of records. `options.names.labels` chooses between `fine` and `coarse` labels of CIFAR-100 (default `fine`).
 * @throws FormatError and InputError as `cifarFormat` does, InputError `bad-label` naming the record, FormatError `bad-class-names`
 */
export function openCifarFile(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	return openAll({ path, files: [path], sha256: () => sha256OfFile(path) }, options)
}

/**
 * Opens the folder `path` of `data_batch_1.bin` … and `test_batch.bin`, or `train.bin` and `test.bin`. Where it holds training and test
 * files `options.names.images` must say which are meant: `train` (all batches, in the order of their numbers) or `test`.
 * @throws InputError as `choosePart` does, and as `openCifarFile` does
 */
export async function openCifarFolder(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const { files } = choosePart(cifarParts(await readdir(path)), options.names?.images, path)
	const paths = files.map((file) => join(path, file))
	return openAll({ path, files: paths, sha256: () => sha256OfFiles(path, files) }, options)
}

/** The parts of a folder of such files; none where `names` has no such file. */
export function cifarParts(names: readonly string[]): Part[] {
	const batches = names.filter((name) => /^data_batch_\d+\.bin$/.test(name))
	const train = [...batches.sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b))), ...pick(names, 'train.bin')]
	const test = [...pick(names, 'test_batch.bin'), ...pick(names, 'test.bin')]
	return [
		{ name: 'train', files: train },
		{ name: 'test', files: test },
	].filter(({ files }) => files.length > 0)
}

function pick(names: readonly string[], wanted: string): string[] {
	return names.filter((name) => name === wanted)
}

async function openAll({ path, files, sha256 }: CifarFiles, options: OpenOptions): Promise<ImageSet> {
	const first = files[0]!
	const format = cifarFormat(first, (await stat(first)).size, options.names?.labels)
	const opened: CifarFile[] = []
	const close = () => {
		for (const { bytes } of opened) bytes.close()
	}
	try {
		for (const file of files) opened.push(await openOne(file, format))
		const count = opened.reduce((sum, file) => sum + file.count, 0)
		// Nobody has to say how CIFAR lies.
		const shape = readLayout([count, 3, 32, 32], { ...options, layout: 'NCHW' }, path, path)
		const set = { path, title: path, count, ...shape, storage: 'uint8', sha256, close } as const
		// Checked before the labels, so that an absurd count is refused before it is allocated.
		imageSet({ ...set, labels: null, classNames: null, read() {} })
		return imageSet({
			...set,
			labels: await readLabels(opened, count, format),
			classNames: await readClassNames(dirname(first), format),
			read: (start, wanted, target) => readPixels(opened, start, wanted, target, format),
		})
	} catch (error) {
		close()
		throw error
	}
}

async function openOne(path: string, format: CifarFormat): Promise<CifarFile> {
	const { size } = await stat(path)
	if (size % recordLength(format) !== 0) {
		const message = `${path}: expected whole records of ${recordLength(format)} bytes (${format.name}), found ${size} bytes; the file is truncated`
		throw new FormatError('corrupt-cifar', message, { path })
	}
	return { path, count: size / recordLength(format), bytes: await openFileBytes(path) }
}

/** Labels stand between the pixels, so this reads the files once. */
async function readLabels(files: readonly CifarFile[], count: number, format: CifarFormat): Promise<Int32Array> {
	const labels = new Int32Array(count)
	let filled = 0
	for (const file of files) {
		for await (const { start, records } of blocks(file, 0, file.count, format)) {
			for (let at = format.labelAt; at < records.length; at += recordLength(format)) {
				const label = records[at]!
				if (label >= format.classes) {
					const image = start + Math.floor(at / recordLength(format))
					const message = `${file.path}: expected labels from 0 to ${format.classes - 1} (${format.name}), found ${label} in record ${image}; the file is damaged, or no CIFAR file`
					throw new InputError('bad-label', message, { path: file.path })
				}
				labels[filled++] = label
			}
		}
	}
	return labels
}

async function readPixels(
	files: readonly CifarFile[],
	start: number,
	count: number,
	target: Pixels,
	format: CifarFormat,
): Promise<void> {
	let first = 0
	let filled = 0
	for (const file of files) {
		const begin = Math.max(0, start - first)
		const end = Math.min(file.count, start + count - first)
		for await (const { records } of blocks(file, begin, end, format)) {
			for (let at = format.labelBytes; at < records.length; at += recordLength(format)) {
				target.set(records.subarray(at, at + CIFAR_PIXELS), filled)
				filled += CIFAR_PIXELS
			}
		}
		first += file.count
	}
}

/** The records `begin` to `end` (exclusive) of a file, some at a time. */
async function* blocks(
	file: CifarFile,
	begin: number,
	end: number,
	format: CifarFormat,
): AsyncGenerator<{ start: number; records: Uint8Array }> {
	const length = recordLength(format)
	for (let start = begin; start < end; start += BLOCK_RECORDS) {
		const records = new Uint8Array(Math.min(BLOCK_RECORDS, end - start) * length)
		await file.bytes.read(start * length, records)
		yield { start, records }
	}
}

async function readClassNames(folder: string, { namesFile, classes }: CifarFormat): Promise<string[] | null> {
	const path = join(folder, namesFile)
	if (!(await isFile(path))) return null
	const { size } = await stat(path)
	const text = size <= MAX_NAMES_BYTES ? await readFile(path, 'utf8') : ''
	const names = text.split(/\r?\n/).filter((line) => line.trim() !== '')
	if (names.length === classes) return names
	const message = `${path}: expected the names of ${classes} classes, one a line, found ${names.length}; mend or remove the file`
	throw new FormatError('bad-class-names', message, { path })
}
