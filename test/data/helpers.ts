/** Writing small data files for the tests of the readers, and reading sets whole. */
import { File, ready } from 'h5wasm/node'
import type { ImageSet } from '../../src/data/image-set.ts'
import { GoodnetError } from '../../src/errors.ts'

type Numbers = Uint8Array | Int8Array | Int32Array | BigInt64Array | Float32Array | Float64Array

export interface StoredArray {
	readonly shape: readonly number[]
	readonly data: Numbers
	/** h5wasm's words: `<f8`, `<B`. */
	readonly dtype: string
	readonly chunks?: readonly number[]
}

/** Writes datasets to an HDF5 file, gzipped where they are chunked. */
export async function writeHdf5(path: string, arrays: Readonly<Record<string, StoredArray>>): Promise<void> {
	await ready
	const file = new File(path, 'w')
	for (const [name, { shape, data, dtype, chunks }] of Object.entries(arrays)) {
		const packing = chunks ? { chunks: [...chunks], compression: 4 } : {}
		file.create_dataset({ name, data, shape: [...shape], dtype, ...packing })
	}
	file.close()
}

/** All pixels of a set, read in batches of `size`. */
export async function readAll(set: ImageSet, size = 7): Promise<number[]> {
	const pixels: number[] = []
	for await (const batch of set.batches(size)) for (const pixel of batch.pixels) pixels.push(pixel)
	return pixels
}

/** The values 0, 1, 2 … as bytes would hold them. */
export function counting(length: number): number[] {
	return Array.from({ length }, (_, i) => i % 256)
}

/** Opens and reads a set; whatever goes wrong must be an error raised on purpose, which is returned. */
export async function errorOf(open: () => Promise<ImageSet>): Promise<GoodnetError | null> {
	try {
		const set = await open()
		try {
			await readAll(set, 64)
		} finally {
			set.close()
		}
		return null
	} catch (error) {
		if (error instanceof GoodnetError) return error
		throw error
	}
}

/** An IDX file of unsigned bytes, or of `type`. */
export function idx(dims: readonly number[], bytes: ArrayLike<number>, type = 8): Uint8Array {
	const sizes = dims.flatMap((dim) => [(dim >>> 24) & 255, (dim >>> 16) & 255, (dim >>> 8) & 255, dim & 255])
	return Uint8Array.from([0, 0, type, dims.length, ...sizes, ...Array.from(bytes)])
}

/** `count` records of CIFAR: the label bytes of each, then pixels that count up from the record's number. */
export function cifar(labels: readonly (readonly number[])[]): Uint8Array {
	return Uint8Array.from(labels.flatMap((label, i) => [...label, ...counting(3072).map((value) => (value + i) % 256)]))
}
