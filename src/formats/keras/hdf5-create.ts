/**
 * New HDF5 files in memory, in the oldest format (superblock 0), which is what h5py and so Keras write: every HDF5 library reads it. The
 * same calls give the same bytes: the only thing that h5wasm takes from outside is the time, and it is taken out again.
 */
import { File } from 'h5wasm'
import { GoodnetError, messageOf } from '../../errors.ts'
import { elementCount } from '../../graph/graph.ts'
import { editHdf5, quietModule } from './hdf5.ts'
import type { StoredArray } from './stored.ts'

/**
 * Room for one attribute in an object header, whose messages end at 64 KiB; Keras keeps to the same figure (`HDF5_OBJECT_HEADER_LIMIT` in
 * `saving/hdf5_format.py`).
 */
const MAX_HEADER_TEXT = 64_512

/**
 * A "modification time" message of an object header, up to its four bytes of seconds: type 0x12, 8 bytes long, no flags, version 1 (HDF5
 * file format specification, IV.A.1.a and IV.A.2.s).
 */
const TIME_MESSAGE = [0x12, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0] as const

/** Messages stand at multiples of eight. */
const MESSAGE_ALIGNMENT = 8

/** A file in the making. Paths are absolute, and parents come before their members. */
export interface NewHdf5 {
	group(path: string): void
	/**
	 * A text attribute of the group at `path`, ASCII. Of fixed length, which h5py gives as bytes in all its versions (Keras 2.3 calls
	 * `decode()` on it); of variable length where it is too long for that.
	 */
	text(path: string, name: string, value: string): void
	/** An attribute that lists texts; an empty list is one of no numbers, as numpy makes it and Keras writes it. */
	texts(path: string, name: string, values: readonly string[]): void
	/** A float32 dataset of shape `dims`. */
	floats(path: string, dims: readonly number[], values: Float32Array): void
}

/**
 * The bytes of the file that `build` describes.
 * @throws GoodnetError `cannot-write-hdf5` where the HDF5 library fails, or a list of texts does not fit into a header
 */
export async function createHdf5(build: (file: NewHdf5) => void): Promise<Uint8Array<ArrayBuffer>> {
	const module = await quietModule()
	const arrays: StoredArray[] = []
	const bytes = inMemory(module, (name) => {
		const file = new File(name, 'w', { libver: ['earliest', 'latest'] })
		try {
			build(recorder(file, arrays))
		} finally {
			file.close()
		}
	})
	clearTimes(bytes, arrays.length)
	// Only now, so that no number of the data can look like a time.
	return editHdf5(bytes, 'new file', (file) => {
		for (const array of arrays) file.writeArray(array)
	})
}

let created = 0

function inMemory({ FS }: Awaited<ReturnType<typeof quietModule>>, write: (name: string) => void): Uint8Array {
	created += 1
	const name = `/goodnet-new-${created}.h5`
	try {
		write(name)
		return new Uint8Array(FS.readFile(name))
	} catch (cause) {
		if (cause instanceof GoodnetError) throw cause
		throw cannotWrite(messageOf(cause), cause)
	} finally {
		if (FS.analyzePath(name, false).exists) FS.unlink(name)
	}
}

/** Writes everything to `file` but the numbers, which it puts into `arrays`. */
function recorder(file: File, arrays: StoredArray[]): NewHdf5 {
	const groups = new Map<string, Pick<File, 'create_attribute'>>([['/', file]])
	const groupAt = (path: string) => {
		const group = groups.get(path)
		if (!group) throw cannotWrite(`${path} is no group of it`)
		return group
	}
	return {
		group(path) {
			groups.set(path, file.create_group(path.slice(1)))
		},
		text(path, name, value) {
			const isShort = value.length < MAX_HEADER_TEXT
			groupAt(path).create_attribute(name, value, [], isShort ? `A${value.length + 1}` : 'A')
		},
		texts(path, name, values) {
			const size = Math.max(0, ...values.map((value) => value.length)) + 1
			if (size * values.length > MAX_HEADER_TEXT) throw cannotWrite(`attribute ${name} is longer than 64 KiB`)
			if (values.length === 0) groupAt(path).create_attribute(name, new Float64Array(), [0], '<d')
			else groupAt(path).create_attribute(name, [...values], [values.length], `A${size}`)
		},
		floats(path, dims, values) {
			const zeros = new Float32Array(elementCount(dims))
			if (values.length !== zeros.length) throw cannotWrite(`${path}: [${dims.join(', ')}] of ${values.length} numbers`)
			file.create_dataset({ name: path.slice(1), data: zeros, shape: [...dims] })
			const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
			arrays.push({ dataset: path, dims, size: 4, bytes })
		},
	}
}

/** Sets the times of all datasets to 0, "unknown". `bytes` hold zeros for data yet, so that nothing else looks like such a message. */
function clearTimes(bytes: Uint8Array, datasets: number): void {
	let cleared = 0
	// `indexOf` runs over the zeros of the data at native speed.
	for (let at = bytes.indexOf(TIME_MESSAGE[0]); at >= 0; at = bytes.indexOf(TIME_MESSAGE[0], at + 1)) {
		if (at % MESSAGE_ALIGNMENT !== 0 || !TIME_MESSAGE.every((byte, index) => bytes[at + index] === byte)) continue
		bytes.fill(0, at + TIME_MESSAGE.length, at + TIME_MESSAGE.length + 4)
		cleared += 1
	}
	if (cleared !== datasets) throw cannotWrite(`expected ${datasets} times of datasets, found ${cleared}`)
}

function cannotWrite(detail: string, cause?: unknown): GoodnetError {
	return new GoodnetError('cannot-write-hdf5', `cannot make an HDF5 file: ${detail}`, { cause })
}
