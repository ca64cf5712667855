/**
 * Our single wrapper of h5wasm for files on disk. Where h5wasm reports errors with negative numbers, garbage values or prints to stderr,
 * this throws a `FormatError`. And it confines the HDF5 library to the one file that the user named: an HDF5 file can refer to others
 * (external links, external storage, virtual datasets), and a file from a stranger must not make us read those.
 *
 * Model files are read from memory instead, by `formats/keras/hdf5.ts`.
 */
import { statSync } from 'node:fs'
import { File, ready } from 'h5wasm/node'
import { FormatError, GoodnetError, messageOf, UnsupportedError } from '../errors.ts'
import { MAX_COMPRESSION } from './byte-source.ts'
import { bytesPerValue, type NumericArray, type NumericType, viewNumbers } from './numbers.ts'

/** The first bytes of an HDF5 file (HDF5 file format specification 3.0, section II.A). */
export const HDF5_SIGNATURE = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)

/** A chunk is inflated whole. h5py's own choice is at most 1 MB; this leaves room for files chunked by hand. */
const MAX_CHUNK_BYTES = 128 * 2 ** 20

type H5Module = Awaited<typeof ready>

/** What the HDF5 library believes the file is called. It knows POSIX names only, so that `C:\x.h5` would not reach the disk. */
const INSIDE_NAME = '/goodnet.h5'

/** A numeric dataset of an open file. */
export interface Hdf5Array {
	readonly name: string
	readonly dims: readonly number[]
	readonly type: NumericType
	/** Rows (steps of the first dimension) of one chunk; null where the dataset is stored in one piece. */
	readonly chunkRows: number | null
}

export interface Hdf5File {
	/** Whether the file's root has a dataset of this name. */
	hasArray(name: string): boolean
	/** Whether the root has an attribute of this name; Keras models are recognised by theirs. */
	hasAttribute(name: string): boolean
	/**
	 * The numeric dataset `name`.
	 * @throws FormatError where it claims more bytes than the file can hold, UnsupportedError on types that are not numbers
	 */
	array(name: string): Hdf5Array
	/** Lends `use` the rows `start` to `start + count`; the view dies when `use` returns. Needs as much wasm memory as they take. */
	withRows<T>(array: Hdf5Array, start: number, count: number, use: (values: NumericArray) => T): T
	close(): void
}

/**
 * Opens `path` for reading. The caller closes it.
 * @throws FormatError where the HDF5 library cannot open it
 */
export async function openHdf5File(path: string): Promise<Hdf5File> {
	const module = await ready
	const fileBytes = statSync(path).size
	const run = <T>(work: () => T): T => confined(module, path, work)
	const id = run(() => atLeastZero(new File(INSIDE_NAME, 'r').file_id))

	const withRows = <T>(array: Hdf5Array, start: number, count: number, use: (values: NumericArray) => T): T => {
		const length = count * rowLength(array)
		const pointer = run(() => allocate(module, length * bytesPerValue(array.type)))
		try {
			run(() =>
				atLeastZero(module.get_dataset_data(id, array.name, ...hyperslab(array, start, count), BigInt(pointer))),
			)
			return use(viewNumbers(array.type, module.HEAPU8, pointer, length))
		} finally {
			module._free(pointer)
		}
	}
	return {
		hasArray: (name) => run(() => module.get_type(id, name) === module.H5G_DATASET),
		hasAttribute: (name) => run(() => module.get_attribute_names(id, '/').includes(name)),
		array: (name) => run(() => readArray(module, id, name, fileBytes, path)),
		withRows,
		close: () => run(() => module.close_file(id)),
	}
}

function readArray(module: H5Module, id: bigint, name: string, fileBytes: number, path: string): Hdf5Array {
	const { shape, type, size, signed, chunks, virtual_sources } = module.get_dataset_metadata(id, name)
	const numeric = numericType(module, type, size, signed)
	if (!numeric || !shape) {
		const message = `"${name}" in ${path}: expected integers or float32/float64 numbers, found HDF5 type class ${type} of ${size} bytes`
		throw new UnsupportedError('unsupported-dtype', message, { path, layer: name })
	}
	if (virtual_sources) {
		const message = `"${name}" in ${path} is a virtual dataset, which refers to other files; copy it into a plain one`
		throw new UnsupportedError('virtual-dataset', message, { path, layer: name })
	}
	const bytes = shape.reduce((product, dim) => product * dim, size)
	const ceiling = fileBytes * (chunks ? MAX_COMPRESSION : 1)
	if (bytes > ceiling) {
		const message = `"${name}" in ${path}: expected at most ${ceiling} bytes in a file of ${fileBytes}, found a claim of ${bytes}`
		throw new FormatError('corrupt-hdf5', message, { path, layer: name })
	}
	const chunkBytes = chunks?.reduce((product, dim) => product * dim, size) ?? 0
	if (chunkBytes > MAX_CHUNK_BYTES) {
		const message = `"${name}" in ${path}: expected chunks of at most ${MAX_CHUNK_BYTES} bytes, found ${chunkBytes}; repack it with smaller ones`
		throw new UnsupportedError('chunk-too-large', message, { path, layer: name })
	}
	return { name, dims: shape, type: numeric, chunkRows: chunks?.[0] ?? null }
}

function numericType(module: H5Module, type: number, size: number, signed: boolean): NumericType | undefined {
	const bits = size * 8
	if (type === module.H5T_class_t.H5T_FLOAT.value) return FLOATS.find((name) => name === `float${bits}`)
	if (type !== module.H5T_class_t.H5T_INTEGER.value) return undefined
	return INTEGERS.find((name) => name === `${signed ? 'int' : 'uint'}${bits}`)
}

const FLOATS = ['float32', 'float64'] as const
const INTEGERS = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64'] as const

function rowLength(array: Hdf5Array): number {
	return array.dims.slice(1).reduce((product, dim) => product * dim, 1)
}

/** `count`, `offset` and `strides` of the rows, as HDF5's `H5Sselect_hyperslab` wants them. */
function hyperslab({ dims }: Hdf5Array, start: number, count: number): [bigint[], bigint[], bigint[]] {
	const offset = dims.map((_, axis) => BigInt(axis === 0 ? start : 0))
	return [dims.map((dim, axis) => BigInt(axis === 0 ? count : dim)), offset, dims.map(() => 1n)]
}

function allocate(module: H5Module, bytes: number): number {
	const pointer = module._malloc(bytes)
	if (pointer === 0) throw new Error(`no memory for ${bytes} bytes`)
	return pointer
}

function atLeastZero<T extends number | bigint>(status: T): T {
	if (status < 0) throw new Error('the HDF5 library reports a failure')
	return status
}

/** Emscripten's file system as far as we touch it; h5wasm's published types leave this out. */
interface EmscriptenFS {
	open(path: string, ...rest: unknown[]): unknown
	stat(path: string): unknown
	lstat(path: string): unknown
	write(stream: unknown, bytes: Int8Array, offset: number, length: number, ...rest: unknown[]): number
	readonly streams: readonly unknown[]
}

/**
 * Runs `work` while the HDF5 library can open no file but `path` and its error stack goes to us in place of stderr. All of h5wasm is
 * synchronous, so nothing else runs meanwhile.
 */
function confined<T>(module: H5Module, path: string, work: () => T): T {
	const fs = module.FS as unknown as EmscriptenFS
	const { open, stat, lstat, write } = fs
	const stderr = fs.streams[2]
	let printed = ''
	fs.open = (name, ...rest) => {
		if (name !== INSIDE_NAME) throw Object.assign(new Error('outside'), { name: 'ErrnoError', errno: EACCES })
		return open(path, ...rest)
	}
	// Never a link: HDF5 would follow it by name.
	fs.stat = fs.lstat = () => stat(path)
	fs.write = (stream, bytes, offset, length, ...rest) => {
		if (stream !== stderr) return write(stream, bytes, offset, length, ...rest)
		printed += Buffer.from(bytes.slice(offset, offset + length)).toString('latin1')
		return length
	}
	try {
		return work()
	} catch (error) {
		if (error instanceof GoodnetError) throw error
		throw hdf5Error(path, printed, error)
	} finally {
		Object.assign(fs, { open, stat, lstat, write })
	}
}

/** "Permission denied" in Emscripten's numbering (WASI). */
const EACCES = 2

function hdf5Error(path: string, printed: string, cause: unknown): GoodnetError {
	// The innermost entry of HDF5's error stack, e.g. "#006: … in H5F__super_read(): truncated file: eof = …".
	const reason = /.*\(\): (.*)/s.exec(printed)?.[1]?.split('\n')[0] ?? messageOf(cause)
	if (reason.includes('is not registered')) {
		const message = `${path}: ${reason}; repack the file with gzip or without compression`
		return new UnsupportedError('unsupported-filter', message, { path, cause })
	}
	const message = `${path}: expected a sound HDF5 file, found a truncated or damaged one (${reason})`
	return new FormatError('corrupt-hdf5', message, { path, cause })
}
