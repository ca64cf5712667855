/**
 * The pages of one column chunk of Parquet: headers, levels, values. hyparquet has all of this too, but believes the run lengths that stand in
 * a page: one in some thousand damaged files then never ends or takes all memory. Here no loop runs further than the rows that were asked for.
 * What Arrow writes unless told otherwise is read (plain and dictionary encoding); the rarer encodings are named.
 * Source: github.com/apache/parquet-format, "Data Pages" and "Encodings".
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { CompressionCodec, Compressors, PageHeader } from 'hyparquet'
import { UnsupportedError } from '../errors.ts'

/** One value of a column; null where the row has none. */
export type Cell = Uint8Array | bigint | null

/** What the footer says about a column chunk. */
export interface ChunkFacts {
	readonly type: 'BYTE_ARRAY' | 'INT32' | 'INT64'
	readonly codec: CompressionCodec
	/** How many of the column and the structs around it may be null: levels below it stand for null. */
	readonly maxDefinition: number
	/** Values that the chunk has, null ones too. */
	readonly rows: number
	/** Ceiling on what its pages may inflate to, all together. */
	readonly maxBytes: number
	/** The file, for messages. */
	readonly path: string
}

/** What this needs of hyparquet and hyparquet-compressors. */
export interface PageLibrary {
	readonly parquetHeader: (reader: { view: DataView; offset: number }) => PageHeader
	readonly compressors: Compressors
	readonly decompressZstd: (input: Uint8Array, output: Uint8Array) => Uint8Array
}

/**
 * The values of the column chunk in `bytes`, one a row.
 * @throws Error, saying what is wrong, on damage (the caller knows the file's name and wraps it); UnsupportedError `unsupported-encoding`
 */
export function readChunk(bytes: Uint8Array, facts: ChunkFacts, library: PageLibrary): Cell[] {
	const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
	const cells: Cell[] = []
	let dictionary: Cell[] = []
	let inflated = 0
	while (cells.length < facts.rows) {
		const header = library.parquetHeader(reader)
		const { type, compressed_page_size: size, uncompressed_page_size: length } = header
		const page = bytes.subarray(reader.offset, reader.offset + size)
		reader.offset += size
		inflated += length
		if (!(size >= 0 && length >= 0 && inflated <= facts.maxBytes) || page.length < size) {
			throw new Error(`a page of ${size} bytes that inflates to ${length}`)
		}
		const inflate = (packed: Uint8Array, to: number) => decompress(packed, to, facts, library)
		if (type === 'DICTIONARY_PAGE') {
			const values = new Bytes(inflate(page, length))
			dictionary = readPlain(values, facts.type, header.dictionary_page_header?.num_values ?? 0)
		} else if (type === 'DATA_PAGE' || type === 'DATA_PAGE_V2') {
			const data =
				type === 'DATA_PAGE' ? splitPage(header, page, inflate, facts) : splitPageV2(header, page, inflate, facts)
			if (data.levels.length > facts.rows - cells.length) throw new Error('more values than the row group has rows')
			for (const cell of readValues(data, dictionary, facts)) cells.push(cell)
		}
	}
	return cells
}

/** A data page, taken apart. */
interface DataPage {
	/** One a row: `maxDefinition` where there is a value. */
	readonly levels: Uint32Array
	readonly values: Bytes
	readonly encoding: string
}

type Inflate = (packed: Uint8Array, length: number) => Uint8Array

function splitPage(header: PageHeader, page: Uint8Array, inflate: Inflate, facts: ChunkFacts): DataPage {
	const { num_values = 0, encoding = 'none' } = header.data_page_header ?? {}
	const values = new Bytes(inflate(page, header.uncompressed_page_size))
	const count = checkCount(num_values, facts)
	const levelBytes = facts.maxDefinition > 0 ? values.uint32() : 0
	const levels = readLevels(values.take(levelBytes), count, facts)
	return { levels, values, encoding }
}

/** In pages of version 2 levels stand before the values, never compressed. */
function splitPageV2(header: PageHeader, page: Uint8Array, inflate: Inflate, facts: ChunkFacts): DataPage {
	const facts2 = header.data_page_header_v2
	if (!facts2) throw new Error('a page without its header')
	const { num_values, encoding, is_compressed } = facts2
	const rest = new Bytes(page)
	rest.take(facts2.repetition_levels_byte_length ?? 0)
	const levels = readLevels(rest.take(facts2.definition_levels_byte_length), checkCount(num_values, facts), facts)
	const packed = rest.take(page.length - rest.offset).bytes
	const length = header.uncompressed_page_size - (page.length - packed.length)
	const values = new Bytes(is_compressed === false || packed.length === 0 ? packed : inflate(packed, length))
	return { levels, values, encoding }
}

function checkCount(count: number, { rows }: ChunkFacts): number {
	if (count >= 0 && count <= rows) return count
	throw new Error(`a page of ${count} values in a row group of ${rows} rows`)
}

function readLevels(bytes: Bytes, count: number, { maxDefinition }: ChunkFacts): Uint32Array {
	if (maxDefinition === 0) return new Uint32Array(count)
	return readHybrid(bytes, 32 - Math.clz32(maxDefinition), count)
}

function readValues({ levels, values, encoding }: DataPage, dictionary: readonly Cell[], facts: ChunkFacts): Cell[] {
	const present = levels.reduce((sum, level) => sum + Number(level === facts.maxDefinition), 0)
	const found = readPresent(values, encoding, present, dictionary, facts)
	let next = 0
	return Array.from(levels, (level) => (level === facts.maxDefinition ? found[next++]! : null))
}

function readPresent(
	values: Bytes,
	encoding: string,
	count: number,
	dictionary: readonly Cell[],
	{ type, path }: ChunkFacts,
): Cell[] {
	switch (encoding) {
		case 'PLAIN':
			return readPlain(values, type, count)
		case 'PLAIN_DICTIONARY':
		case 'RLE_DICTIONARY':
			if (count === 0) return []
			return Array.from(readHybrid(values, values.uint8(), count), (index) => {
				const value = dictionary[index]
				if (value === undefined) throw new Error(`entry ${index} of a dictionary of ${dictionary.length}`)
				return value
			})
		default: {
			const message = `${path}: expected Parquet values in plain or dictionary encoding, found ${encoding}; write the file with pyarrow's defaults`
			throw new UnsupportedError('unsupported-encoding', message, { path })
		}
	}
}

/** `count` values one after the other; byte arrays with their length before them. Ends with an error where the bytes do. */
function readPlain(bytes: Bytes, type: ChunkFacts['type'], count: number): Cell[] {
	const cells: Cell[] = []
	while (cells.length < count) {
		if (type === 'INT32') cells.push(BigInt(bytes.uint32() | 0))
		else if (type === 'INT64') cells.push(bytes.int64())
		else cells.push(bytes.take(bytes.uint32()).bytes)
	}
	return cells
}

/** Numbers of `width` bits in runs: either one number repeated, or groups of eight, packed from the lowest bit on. */
function readHybrid(bytes: Bytes, width: number, count: number): Uint32Array {
	if (width > 32) throw new Error(`numbers of ${width} bits`)
	const numbers = new Uint32Array(count)
	let filled = 0
	while (filled < count) {
		const header = bytes.varint()
		const run = header >>> 1
		if (header & 1) {
			const packed = Math.min(run * 8, count - filled)
			const group = bytes.takeAtMost(run * width).bytes
			for (let i = 0; i < packed; i++) numbers[filled + i] = bitsAt(group, i * width, width)
			filled += packed
		} else {
			const value = bitsAt(bytes.take(Math.ceil(width / 8)).bytes, 0, width)
			const end = Math.min(filled + run, count)
			numbers.fill(value, filled, end)
			filled = end
		}
	}
	return numbers
}

/** Bits behind the end are zeros: writers may leave out the rest of the last group. */
function bitsAt(bytes: Uint8Array, begin: number, width: number): number {
	let value = 0
	for (let bit = 0; bit < width; bit++) {
		const at = begin + bit
		if (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) value += 2 ** bit
	}
	return value
}

function decompress(packed: Uint8Array, length: number, facts: ChunkFacts, library: PageLibrary): Uint8Array {
	const page = inflateWith(packed, length, facts, library)
	if (page.length === length) return page
	throw new Error(`a page of ${page.length} bytes that should have ${length}`)
}

function inflateWith(
	packed: Uint8Array,
	length: number,
	{ codec, path }: ChunkFacts,
	library: PageLibrary,
): Uint8Array {
	const { compressors, decompressZstd } = library
	// Node's own where it has one: the others' Brotli and gzip are slower.
	if (codec === 'UNCOMPRESSED') return packed
	if (codec === 'GZIP') return gunzipSync(packed, { maxOutputLength: Math.max(1, length) })
	if (codec === 'BROTLI') return brotliDecompressSync(packed, { maxOutputLength: Math.max(1, length) })
	// fzstd believes the size that a frame states, unless it is given the memory.
	if (codec === 'ZSTD') return decompressZstd(packed, new Uint8Array(length))
	const inflate = compressors[codec]
	if (inflate) return inflate(packed, length)
	const message = `${path}: expected Parquet pages in snappy, gzip, brotli, zstd or lz4, found ${codec}; write the file with one of these`
	throw new UnsupportedError('unsupported-codec', message, { path })
}

/** Bytes with a place to read on from. All reading beyond the end throws. */
class Bytes {
	readonly bytes: Uint8Array
	offset = 0

	constructor(bytes: Uint8Array) {
		this.bytes = bytes
	}

	take(length: number): Bytes {
		const begin = this.offset
		if (!(length >= 0 && begin + length <= this.bytes.length)) throw new Error('a page that ends before its values do')
		this.offset += length
		return new Bytes(this.bytes.subarray(begin, begin + length))
	}

	takeAtMost(length: number): Bytes {
		return this.take(Math.min(length, this.bytes.length - this.offset))
	}

	uint8(): number {
		return this.take(1).bytes[0]!
	}

	uint32(): number {
		return view(this.take(4)).getUint32(0, true)
	}

	int64(): bigint {
		return view(this.take(8)).getBigInt64(0, true)
	}

	/** Seven bits a byte, the lowest first, at most 32. */
	varint(): number {
		let value = 0
		for (let shift = 0; shift < 35; shift += 7) {
			const byte = this.uint8()
			value += (byte & 0x7f) * 2 ** shift
			if (byte < 0x80) return value
		}
		throw new Error('a run length of more than 32 bits')
	}
}

function view({ bytes }: Bytes): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
