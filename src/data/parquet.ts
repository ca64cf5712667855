/**
 * Image sets in Parquet as Hugging Face `datasets` writes them: a column of structs `{bytes, path}`, whose bytes are those of a picture file,
 * and a column of integer labels, whose names the `huggingface` note in the footer tells.
 * Source: huggingface.co/docs/datasets/image_dataset and huggingface.co/docs/hub/datasets-image.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError, InputError } from '../errors.ts'
import { parseJson } from '../json.ts'
import { decodeImage } from './decode.ts'
import { sha256OfFile, sha256OfFiles } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import { MAX_LABEL, parseLabels } from './labels.ts'
import { IMAGE_NAMES, LABEL_NAMES } from './names.ts'
import type { OpenOptions, PartNames } from './options.ts'
import { type ColumnKind, openParquetFile, type ParquetFile } from './parquet-file.ts'
import type { Cell } from './parquet-pages.ts'
import { choosePart, type Part } from './parts.ts'
import { pictureSet } from './pictures.ts'

/** Columns called so are taken before others that hold pictures: `img` is CIFAR's. */
const PICTURE_COLUMNS = ['image', 'img', ...IMAGE_NAMES]

/** The first that is present is taken: `fine_label` is CIFAR-100's. */
const LABEL_COLUMNS = [...LABEL_NAMES, 'fine_label', 'class', 'target']

/** What the note says, as far as we need it; everything else is passed over. */
const Note = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) })
const ClassLabel = z.object({
	names: z.union([z.array(z.string()).max(MAX_LABEL), z.record(z.string(), z.string())]),
})

/** Some files that are read as one set. */
interface Shards {
	/** What the user named. */
	readonly path: string
	readonly files: readonly ParquetFile[]
	readonly pictures: string
	readonly labels: string | null
	sha256(): Promise<string>
}

/** One row group among those of all files. */
interface Group {
	readonly file: ParquetFile
	/** Its number inside the file. */
	readonly number: number
	/** Its first row, counted over all files. */
	readonly start: number
	readonly rows: number
	/** Rows of all files before this one. */
	readonly fileStart: number
}

/**
 * Opens one Parquet file. Columns are those that `options.names` calls (`images`, `labels`), else those with the usual names, else the only
 * one of pictures. What is held: labels, and the encoded pictures of one row group.
 * @throws FormatError `corrupt-parquet`, `corrupt-image` (with the row); UnsupportedError as `openParquetFile` does; InputError `no-images`,
 *   `no-labels`, and as `parseLabels` and `pictureSet` do
 */
export function openParquetImages(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	return openShards(path, [path], options.names, () => sha256OfFile(path), options)
}

/**
 * Opens the Parquet files of the folder `path`, in the order of their names. `train-00000-of-00002.parquet` belongs to the part `train`;
 * where there are several parts `options.names.images` must say which is meant, and `options.names.labels` may name the column.
 * @throws InputError `missing-shards` where not all files of a part are there, and as `choosePart` and `openParquetImages` do
 */
export async function openParquetFolder(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const part = choosePart(parquetParts(await readdir(path)), options.names?.images, path)
	const expected = Number(/-of-(\d+)\.parquet$/.exec(part.files[0]!)?.[1] ?? part.files.length)
	if (part.files.length !== expected) {
		const message = `${path}: expected ${expected} files of the part "${part.name}", as their names say, found ${part.files.length}; fetch the missing ones`
		throw new InputError('missing-shards', message, { path })
	}
	const paths = part.files.map((file) => join(path, file))
	const names = { labels: options.names?.labels }
	return openShards(path, paths, names, () => sha256OfFiles(path, part.files), options)
}

/** The parts of a folder of Parquet files; none where `names` has no such file. */
export function parquetParts(names: readonly string[]): Part[] {
	const parts = new Map<string, string[]>()
	for (const name of [...names].sort()) {
		const part = /^(.+?)(?:-\d+-of-\d+)?\.parquet$/.exec(name)?.[1]
		if (part !== undefined && !name.startsWith('.')) parts.set(part, [...(parts.get(part) ?? []), name])
	}
	return [...parts].map(([name, files]) => ({ name, files }))
}

async function openShards(
	path: string,
	paths: readonly string[],
	names: PartNames | undefined,
	sha256: () => Promise<string>,
	options: OpenOptions,
): Promise<ImageSet> {
	const files: ParquetFile[] = []
	const close = () => {
		for (const file of files) file.close()
	}
	try {
		for (const file of paths) files.push(await openParquetFile(file))
		const [first] = files as [ParquetFile]
		const pictures = findPictures(first, names?.images)
		const shards = { path, files, pictures, labels: findLabels(first, names?.labels), sha256 }
		return await openSet(shards, close, options)
	} catch (error) {
		close()
		throw error
	}
}

async function openSet(shards: Shards, close: () => void, options: OpenOptions): Promise<ImageSet> {
	const { path, files, pictures, labels, sha256 } = shards
	const groups = listGroups(files)
	const bytesOf = pictureReader(groups, pictures)
	const count = groups.reduce((sum, { rows }) => sum + rows, 0)
	const nameOf = (row: number) => {
		const { file, fileStart } = groupOf(groups, row)
		return `"${pictures}" in row ${row - fileStart} of ${file.path}`
	}
	return pictureSet(
		{
			path,
			count,
			labels: labels === null ? null : await readLabels(groups, labels, path),
			classNames: labels === null ? null : classNames(files[0]!, labels),
			imageNames: null,
			decode: async (row) => decodeImage(await bytesOf(row), nameOf(row)),
			nameOf,
			sha256,
			close,
		},
		options,
	)
}

function findPictures(file: ParquetFile, wanted: string | undefined): string {
	const isPicture = (kind: ColumnKind | undefined) => kind === 'picture' || kind === 'bytes'
	const columns = file.columns.filter(({ kind }) => isPicture(kind)).map(({ name }) => name)
	const found = wanted === undefined ? PICTURE_COLUMNS.find((name) => columns.includes(name)) : wanted
	const [only] = columns
	if (found !== undefined && columns.includes(found)) return found
	if (wanted === undefined && columns.length === 1 && only !== undefined) return only
	const expected =
		wanted === undefined ? 'a column of pictures (a struct with "bytes" in it)' : `pictures in column "${wanted}"`
	const message = `${file.path}: expected ${expected}, found ${listed(file)}; name the columns as in ${file.path}:image,label`
	throw new InputError('no-images', message, { path: file.path })
}

function findLabels(file: ParquetFile, wanted: string | undefined): string | null {
	const columns = file.columns.filter(({ kind }) => kind === 'integer').map(({ name }) => name)
	if (wanted === undefined) return LABEL_COLUMNS.find((name) => columns.includes(name)) ?? null
	if (columns.includes(wanted)) return wanted
	const message = `${file.path}: expected integer labels in column "${wanted}", found ${listed(file)}`
	throw new InputError('no-labels', message, { path: file.path })
}

function listed({ columns }: ParquetFile): string {
	return columns.map(({ name, kind }) => `"${name}" (${kind})`).join(', ') || 'no columns'
}

function listGroups(files: readonly ParquetFile[]): Group[] {
	const groups: Group[] = []
	let start = 0
	for (const file of files) {
		const fileStart = start
		for (const [number, rows] of file.groupRows.entries()) {
			if (rows > 0) groups.push({ file, number, start, rows, fileStart })
			start += rows
		}
	}
	return groups
}

function groupOf(groups: readonly Group[], row: number): Group {
	// A set has hundreds of groups, and decoding a picture takes far longer than passing over them.
	return groups.find(({ start, rows }) => row < start + rows)!
}

/** Gives the encoded picture of a row; the pictures of the row group that was read last are kept. */
function pictureReader(groups: readonly Group[], column: string): (row: number) => Promise<Uint8Array> {
	let held: { group: Group; values: Promise<readonly Cell[]> } | undefined
	return async (row) => {
		const group = groupOf(groups, row)
		if (held?.group !== group) held = { group, values: group.file.readColumn(column, group.number) }
		const values = await held.values
		return pictureBytes(values[row - group.start], column, row - group.fileStart, group.file.path)
	}
}

function pictureBytes(value: Cell | undefined, column: string, row: number, path: string): Uint8Array {
	if (value instanceof Uint8Array) return value
	const message = `"${column}" in row ${row} of ${path}: expected the bytes of a picture, found none; a set that only names files must be written again with the pictures in it`
	throw new FormatError('corrupt-image', message, { path })
}

async function readLabels(groups: readonly Group[], column: string, path: string): Promise<Int32Array> {
	const values: number[] = []
	for (const { file, number } of groups) {
		for (const value of await file.readColumn(column, number)) values.push(value === null ? Number.NaN : Number(value))
	}
	return parseLabels(values, values.length, `"${column}" in ${path}`, path)
}

/** The names that the note tells for the labels in `column`; null where it tells none. */
function classNames(file: ParquetFile, column: string): string[] | null {
	const note = Note.safeParse(parseJson(file.note('huggingface') ?? ''))
	const names = ClassLabel.safeParse(note.data?.info.features[column]).data?.names
	if (names === undefined || Array.isArray(names)) return names ?? null
	// `{"0": "cat", "1": "dog"}` is how YAML cards write it.
	return Object.entries(names)
		.sort(([a], [b]) => Number(a) - Number(b))
		.map(([, name]) => name)
}
