/**
 * Our single wrapper of h5wasm for model files. It reads from bytes in memory (h5wasm's in-memory file system, so it works in Node and
 * in a browser), and turns everything that can go wrong inside the HDF5 library into a `FormatError`: h5wasm itself returns negative
 * handles, reads into buffers that it never filled, and prints to stderr.
 */
import { File, type Metadata, ready } from 'h5wasm'
import { FormatError, GoodnetError, messageOf } from '../../errors.ts'
import { brokenHeapAt } from './global-heap.ts'
import type { StoredArray, WeightFile } from './stored.ts'

type H5Module = Awaited<typeof ready>

/** The first eight bytes of every HDF5 file without a user block (HDF5 file format specification, II.A). */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** The first line of what `git clone` leaves in place of a file when Git LFS is not installed. */
const LFS_POINTER = 'version https://git-lfs'

/** Deflate cannot shrink data more than 1032-fold, so a chunked dataset that claims more than that is lying about its size. */
const MAX_COMPRESSION = 1032

/** HDF5's type classes, as h5wasm reports them in `Metadata.type`. */
const FLOAT_CLASS = 1
const STRING_CLASS = 3

/** An open HDF5 file. Every method throws `FormatError` (code `corrupt-hdf5`) where the file turns out to be damaged. */
export interface Hdf5File extends WeightFile {
	/** What stands at the absolute `path`; undefined for nothing and for broken links. */
	kindOf(path: string): 'group' | 'dataset' | undefined
	/** Names of the members of the group at `path`. */
	keys(path: string): string[]
	/** Names of the attributes of the group at `path`. */
	attributeNames(path: string): string[]
	/** The strings of attribute `name`, one for a scalar; undefined where there is no such attribute. */
	strings(path: string, name: string): string[] | undefined
	/** Only inside `editHdf5`. */
	writeArray(array: StoredArray): void
}

/** Whether `bytes` begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
	return SIGNATURE.every((byte, index) => bytes[index] === byte)
}

/**
 * Opens `bytes` as an HDF5 file, hands it to `use` and closes it. `path` is for messages only.
 * Throws `FormatError`: `git-lfs-pointer`, `not-hdf5`, or `corrupt-hdf5` for whatever the library stumbles over.
 */
export async function withHdf5<T>(bytes: Uint8Array, path: string, use: (file: Hdf5File) => T): Promise<T> {
	const module = await quietModule()
	return withMemoryFile(module, bytes, path, (name) => useFile(module, new File(name, 'r'), bytes.length, path, use))
}

/** A copy of `bytes` as `edit` leaves it. Throws as `withHdf5` does; `bytes` stay as they are. */
export async function editHdf5(
	bytes: Uint8Array,
	path: string,
	edit: (file: Hdf5File) => void,
): Promise<Uint8Array<ArrayBuffer>> {
	const module = await quietModule()
	return withMemoryFile(module, bytes, path, (name) => {
		useFile(module, new File(name, 'a'), bytes.length, path, edit)
		return new Uint8Array(module.FS.readFile(name))
	})
}

/** h5wasm, told to keep its error stack to itself: a library prints nothing. */
export async function quietModule(): Promise<H5Module> {
	const module = await ready
	// The published types leave out `streams`, which Emscripten's file system has had since its beginning.
	const { streams } = module.FS as unknown as { streams: ({ stream_ops: object } | undefined)[] }
	const stderr = streams[2]
	if (stderr) stderr.stream_ops = { ...stderr.stream_ops, write: swallow }
	return module
}

function swallow(_stream: unknown, _buffer: unknown, _offset: number, length: number): number {
	return length
}

let opened = 0

/** Lends `use` the name of a file in the library's memory that holds a copy of `bytes`, and removes it afterwards. */
function withMemoryFile<T>(module: H5Module, bytes: Uint8Array, path: string, use: (name: string) => T): T {
	assertHdf5(bytes, path)
	assertReadable(bytes, path)
	opened += 1
	const name = `/goodnet-${opened}.h5`
	module.FS.writeFile(name, bytes)
	try {
		return guarded(path, () => use(name))
	} finally {
		module.FS.unlink(name)
	}
}

function useFile<T>(module: H5Module, file: File, length: number, path: string, use: (file: Hdf5File) => T): T {
	if (file.file_id < 0n) throw corrupt(path, 'the HDF5 library cannot open it (truncated or damaged)')
	try {
		return use(new MemoryFile(module, file.file_id, length, path))
	} finally {
		file.close()
	}
}

function assertHdf5(bytes: Uint8Array, path: string): void {
	if (isHdf5(bytes)) return
	const start = new TextDecoder('latin1').decode(bytes.subarray(0, LFS_POINTER.length))
	if (start === LFS_POINTER) {
		throw new FormatError(
			'git-lfs-pointer',
			`${path}: expected a model, found a Git LFS pointer (${bytes.length} bytes of text): run "git lfs pull" to get the file itself`,
			{ path },
		)
	}
	throw new FormatError('not-hdf5', `${path}: expected an HDF5 file, found other bytes at its start`, {
		path,
		offset: 0,
	})
}

/** Refuses files on which the HDF5 library would hang. */
function assertReadable(bytes: Uint8Array, path: string): void {
	const sizeOfLengths = bytes[(bytes[8] ?? 0) < 2 ? 14 : 10]
	if (sizeOfLengths !== 8) throw corrupt(path, `expected lengths of 8 bytes, found ${sizeOfLengths}`)
	const heap = brokenHeapAt(bytes)
	if (heap >= 0) throw corrupt(path, `the global heap at byte ${heap} has objects that do not fit in it`)
}

/** Runs `work`; whatever the WebAssembly code throws (numbers, traps, out of memory) becomes a `FormatError`. */
function guarded<T>(path: string, work: () => T): T {
	try {
		return work()
	} catch (cause) {
		if (cause instanceof GoodnetError) throw cause
		throw corrupt(path, messageOf(cause), cause)
	}
}

function corrupt(path: string, detail: string, cause?: unknown): FormatError {
	return new FormatError('corrupt-hdf5', `${path}: damaged HDF5 file: ${detail}: get a fresh copy`, { path, cause })
}

class MemoryFile implements Hdf5File {
	readonly #module: H5Module
	readonly #id: bigint
	readonly #length: number
	readonly #path: string

	constructor(module: H5Module, id: bigint, length: number, path: string) {
		this.#module = module
		this.#id = id
		this.#length = length
		this.#path = path
	}

	kindOf(path: string): 'group' | 'dataset' | undefined {
		const type = this.#module.get_type(this.#id, path)
		if (type === this.#module.H5G_GROUP) return 'group'
		return type === this.#module.H5G_DATASET ? 'dataset' : undefined
	}

	keys(path: string): string[] {
		return this.#module.get_names(this.#id, path, false)
	}

	attributeNames(path: string): string[] {
		return this.#module.get_attribute_names(this.#id, path)
	}

	strings(path: string, name: string): string[] | undefined {
		if (!this.attributeNames(path).includes(name)) return undefined
		const metadata = this.#module.get_attribute_metadata(this.#id, path, name)
		if (metadata.shape === null || metadata.total_size === 0) return []
		if (metadata.type !== STRING_CLASS) throw corrupt(this.#path, `attribute ${name} of ${path} is not text`)
		return this.#withBuffer(this.#byteLength(metadata, `attribute ${name} of ${path}`), (pointer) => {
			const status = this.#module.get_attribute_data(this.#id, path, name, BigInt(pointer))
			if (status < 0) throw corrupt(this.#path, `attribute ${name} of ${path} cannot be read`)
			const texts = this.#textsAt(pointer, metadata)
			if (metadata.vlen) this.#module.reclaim_vlen_memory(this.#id, path, name, BigInt(pointer))
			return texts
		})
	}

	dimsOf(path: string): number[] {
		return this.#metadata(path).shape ?? []
	}

	readArray(path: string): StoredArray {
		const metadata = this.#metadata(path)
		const size = floatSize(metadata)
		if (size === undefined || !metadata.shape)
			throw corrupt(this.#path, `dataset ${path} does not hold floating-point numbers`)
		return this.#withBuffer(this.#byteLength(metadata, `dataset ${path}`), (pointer, length) => {
			const status = this.#module.get_dataset_data(this.#id, path, null, null, null, BigInt(pointer))
			if (status < 0) throw corrupt(this.#path, `dataset ${path} cannot be read`)
			const bytes = this.#module.HEAPU8.slice(pointer, pointer + length)
			return { dataset: path, dims: metadata.shape ?? [], size, bytes }
		})
	}

	writeArray(array: StoredArray): void {
		this.#withBuffer(array.bytes.length, (pointer) => {
			this.#module.HEAPU8.set(array.bytes, pointer)
			const status = this.#module.set_dataset_data(this.#id, array.dataset, null, null, null, BigInt(pointer))
			if (status < 0) throw corrupt(this.#path, `dataset ${array.dataset} cannot be written`)
		})
	}

	#metadata(path: string): Metadata {
		if (this.kindOf(path) !== 'dataset') throw corrupt(this.#path, `dataset ${path} is missing`)
		return this.#module.get_dataset_metadata(this.#id, path)
	}

	/** The size of an array in memory, checked against what a file of this length can hold before anything is allocated. */
	#byteLength(metadata: Metadata, what: string): number {
		const byteLength = metadata.size * metadata.total_size
		const limit = metadata.chunks ? this.#length * MAX_COMPRESSION : this.#length
		if (byteLength <= limit) return byteLength
		throw corrupt(this.#path, `${what} claims ${byteLength} bytes, the whole file has ${this.#length}`)
	}

	/** Lends zeroed memory of the HDF5 library to `use`: zeroed, so that a failed read leaves null pointers and not wild ones. */
	#withBuffer<T>(length: number, use: (pointer: number, length: number) => T): T {
		const pointer = this.#module._malloc(Math.max(length, 1))
		if (pointer === 0) throw corrupt(this.#path, `no memory for an array of ${length} bytes`)
		try {
			this.#module.HEAPU8.fill(0, pointer, pointer + length)
			return use(pointer, length)
		} finally {
			this.#module._free(pointer)
		}
	}

	#textsAt(pointer: number, metadata: Metadata): string[] {
		const bytes = this.#module.HEAPU8.slice(pointer, pointer + metadata.size * metadata.total_size)
		if (metadata.vlen) return [...new Uint32Array(bytes.buffer)].map((at) => this.#module.UTF8ToString(at))
		return Array.from({ length: metadata.total_size }, (_, index) => {
			const field = bytes.subarray(index * metadata.size, (index + 1) * metadata.size)
			const end = field.indexOf(0)
			return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
		})
	}
}

function floatSize(metadata: Metadata): 2 | 4 | 8 | undefined {
	if (metadata.type !== FLOAT_CLASS) return undefined
	const { size } = metadata
	return size === 2 || size === 4 || size === 8 ? size : undefined
}
