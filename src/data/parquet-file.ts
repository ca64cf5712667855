/**
 * Our single wrapper of hyparquet. It reads one column of one row group at a time, and nothing before the sizes that the file claims are
 * held against what the file can be: page headers come from strangers, and hyparquet allocates what they say.
 * Source: github.com/apache/parquet-format.
 */
import { open } from 'node:fs/promises'
import type { ColumnChunk, FileMetaData, SchemaTree } from 'hyparquet'
import { FormatError, GoodnetError, messageOf, UnsupportedError } from '../errors.ts'
import { readFully } from './byte-source.ts'
import { type Cell, type ChunkFacts, readChunk } from './parquet-pages.ts'

/** The first and the last bytes of a Parquet file. */
export const PARQUET_SIGNATURE = Uint8Array.of(0x50, 0x41, 0x52, 0x31)

/**
 * A column of a row group is held while its rows are handed out. Hugging Face writes groups of 100 or 1,000 pictures, at most some
 * 100 MB; beyond this the file should be rewritten.
 */
const MAX_CHUNK_BYTES = 512 * 2 ** 20

/** Rows of one group: writers stop at about a million, and each is an object in memory. */
const MAX_GROUP_ROWS = 2 ** 22

/** The footer describes row groups and columns; that of ImageNet's shards takes 100 kB. */
const MAX_FOOTER_BYTES = 64 * 2 ** 20

/** What a column holds, as far as image sets go. */
export type ColumnKind = 'picture' | 'bytes' | 'integer' | 'other'

export interface ParquetColumn {
	readonly name: string
	/** `picture`: a struct with `bytes` in it, as Hugging Face stores images. */
	readonly kind: ColumnKind
}

export interface ParquetFile {
	readonly path: string
	/** Rows of each row group. */
	readonly groupRows: readonly number[]
	/** The columns at the top level. */
	readonly columns: readonly ParquetColumn[]
	/** Text that writers leave under a key, e.g. `huggingface`. */
	note(key: string): string | undefined
	/**
	 * The values of column `name` in row group `group`, one a row; of a column of pictures their bytes.
	 * @throws FormatError `corrupt-parquet`, UnsupportedError `row-group-too-large`
	 */
	readColumn(name: string, group: number): Promise<readonly Cell[]>
	close(): void
}

/** Loaded when the first Parquet file comes: other sets need none of its 20 MB. */
async function loadLibrary() {
	const [{ parquetMetadataAsync, parquetSchema }, { parquetHeader }, { compressors, decompressZstd }] =
		await Promise.all([import('hyparquet'), import('hyparquet/src/column.js'), import('hyparquet-compressors')])
	return { parquetMetadataAsync, parquetSchema, parquetHeader, compressors, decompressZstd }
}

type Library = Awaited<ReturnType<typeof loadLibrary>>

/**
 * Opens the Parquet file `path` and reads its footer.
 * @throws FormatError `corrupt-parquet` on a truncated or damaged file, UnsupportedError `encrypted-parquet`
 */
export async function openParquetFile(path: string): Promise<ParquetFile> {
	const library = await loadLibrary()
	const file = await open(path, 'r')
	const read = async (start: number, end: number): Promise<ArrayBuffer> => {
		const bytes = new Uint8Array(end - start)
		await readFully(file, start, bytes, path)
		return bytes.buffer
	}
	// Closing a file that was open for reading cannot lose anything.
	const close = () => void file.close()
	try {
		const { size } = await file.stat()
		await checkEnds(read, size, path)
		const slice = (start: number, end = size) => read(start, end)
		const metadata = await guard(path, () =>
			library.parquetMetadataAsync({ byteLength: size, slice }, { geoparquet: false }),
		)
		const groupRows = metadata.row_groups.map((group) => Number(group.num_rows))
		checkRows(groupRows, path)
		return {
			path,
			groupRows,
			columns: await guard(path, async () => listColumns(library.parquetSchema(metadata))),
			note: (key) => metadata.key_value_metadata?.find((pair) => pair.key === key)?.value,
			readColumn: (name, group) => guard(path, () => readColumn({ library, metadata, size, read, path }, name, group)),
			close,
		}
	} catch (error) {
		close()
		throw error
	}
}

type ReadBytes = (start: number, end: number) => Promise<ArrayBuffer>

interface OpenedFile {
	readonly library: Library
	readonly metadata: FileMetaData
	readonly size: number
	readonly read: ReadBytes
	readonly path: string
}

async function checkEnds(read: ReadBytes, size: number, path: string): Promise<void> {
	if (size < 12) throw corrupt(path, `a file of ${size} bytes`)
	const tail = new DataView(await read(size - 8, size))
	const magic = String.fromCharCode(...new Uint8Array(tail.buffer, 4))
	if (magic === 'PARE') {
		const message = `${path}: expected a plain Parquet file, found an encrypted one; write it without encryption`
		throw new UnsupportedError('encrypted-parquet', message, { path })
	}
	if (magic !== 'PAR1') throw corrupt(path, 'no PAR1 at its end: it is truncated')
	const footerBytes = tail.getUint32(0, true)
	if (footerBytes > Math.min(size - 12, MAX_FOOTER_BYTES)) {
		throw corrupt(path, `a footer of ${footerBytes} bytes in a file of ${size}`)
	}
}

function checkRows(groupRows: readonly number[], path: string): void {
	const bad = groupRows.find((rows) => !(rows >= 0 && rows <= MAX_GROUP_ROWS))
	if (bad !== undefined) throw corrupt(path, `a row group of ${bad} rows (at most ${MAX_GROUP_ROWS} are read)`)
}

function listColumns(schema: SchemaTree): ParquetColumn[] {
	return schema.children.map(({ element, children }) => {
		if (children.some((child) => child.element.name === 'bytes')) return { name: element.name, kind: 'picture' }
		const isText = element.converted_type !== undefined || element.logical_type !== undefined
		if (element.type === 'BYTE_ARRAY') return { name: element.name, kind: isText ? 'other' : 'bytes' }
		const isInteger = element.type === 'INT32' || element.type === 'INT64'
		return { name: element.name, kind: isInteger ? 'integer' : 'other' }
	})
}

async function readColumn(file: OpenedFile, name: string, group: number): Promise<readonly Cell[]> {
	const { library, metadata, size, read, path } = file
	const rowGroup = metadata.row_groups[group]!
	const leaf = findLeaf(library.parquetSchema(metadata), name, path)
	const chunk = rowGroup.columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === leaf.path.join('.'))
	if (!chunk?.meta_data) throw corrupt(path, `a row group without the column "${name}"`)
	const { start, end } = rangeOf(chunk, size, path)
	const bytes = new Uint8Array(await read(start, end))
	const rows = Number(rowGroup.num_rows)
	return readChunk(
		bytes,
		{
			type: leaf.type,
			maxDefinition: leaf.maxDefinition,
			codec: chunk.meta_data.codec,
			rows,
			maxBytes: MAX_CHUNK_BYTES,
			path,
		},
		library,
	)
}

/** The column of values that belongs to the column `name` at the top level: of a struct its `bytes`. */
function findLeaf(schema: SchemaTree, name: string, path: string): Leaf {
	const column = schema.children.find(({ element }) => element.name === name)
	const inner = column?.children.find(({ element }) => element.name === 'bytes')
	const steps = [column, inner].filter((step) => step !== undefined)
	const leaf = steps.at(-1)?.element
	const type = READABLE.find((readable) => readable === leaf?.type)
	if (!type || steps.some(({ element }) => element.repetition_type === 'REPEATED')) {
		const message = `${path}: expected one value a row in column "${name}", found ${leaf?.type ?? 'a group of columns'}`
		throw new UnsupportedError('unsupported-column', message, { path })
	}
	const optional = steps.filter(({ element }) => element.repetition_type === 'OPTIONAL')
	return { path: steps.map(({ element }) => element.name), type, maxDefinition: optional.length }
}

interface Leaf extends Pick<ChunkFacts, 'type' | 'maxDefinition'> {
	readonly path: readonly string[]
}

const READABLE = ['BYTE_ARRAY', 'INT32', 'INT64'] as const

/** A range of the file, the end exclusive. */
interface Range {
	readonly start: number
	readonly end: number
}

/** Where the pages of a column chunk lie. */
function rangeOf({ meta_data, file_path }: ColumnChunk, size: number, path: string): Range {
	if (!meta_data || file_path !== undefined) throw corrupt(path, 'a column whose pages lie in another file')
	const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset)
	const length = Number(meta_data.total_compressed_size)
	if (!(start >= 4 && length >= 0 && start + length <= size)) {
		throw corrupt(path, `a column of ${length} bytes at ${start} in a file of ${size}`)
	}
	checkGroupBytes(Number(meta_data.total_uncompressed_size), path)
	return { start, end: start + length }
}

function checkGroupBytes(bytes: number, path: string): void {
	if (bytes <= MAX_CHUNK_BYTES) return
	const message = `${path}: expected at most ${MAX_CHUNK_BYTES} bytes of pictures in a row group, found ${bytes}; write it with smaller row groups`
	throw new UnsupportedError('row-group-too-large', message, { path })
}

/** hyparquet throws plain errors, also TypeError and RangeError, on damaged files. */
async function guard<T>(path: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (error instanceof GoodnetError) throw error
		throw corrupt(path, messageOf(error), error)
	}
}

function corrupt(path: string, found: string, cause?: unknown): FormatError {
	const message = `${path}: expected a sound Parquet file, found a truncated or damaged one (${found})`
	return new FormatError('corrupt-parquet', message, { path, cause })
}
