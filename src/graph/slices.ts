/** Slices of a constant along one axis: the filter of one channel, wherever the layout puts it. */
import type { Tensor } from './graph.ts'

/** `tensor` with the slices `indices` along `axis` set to +0. A new tensor; the given one stays as it was. */
export function zeroSlices(tensor: Tensor, axis: number, indices: Iterable<number>): Tensor {
	const bytes = tensor.bytes.slice()
	for (const index of indices) for (const [begin, end] of runs(tensor, axis, index)) bytes.fill(0, begin, end)
	return { ...tensor, bytes }
}

/** Is every byte of the slice zero (+0 in any float type)? */
export function isZeroSlice(tensor: Tensor, axis: number, index: number): boolean {
	return runs(tensor, axis, index).every(([begin, end]) =>
		tensor.bytes.subarray(begin, end).every((byte) => byte === 0),
	)
}

/** Do both tensors, of equal dims, hold the same bytes in this slice? */
export function isSameSlice(a: Tensor, b: Tensor, axis: number, index: number): boolean {
	return runs(a, axis, index).every(([begin, end]) =>
		isSameBytes(a.bytes.subarray(begin, end), b.bytes.subarray(begin, end)),
	)
}

/** Same type, shape and bytes? */
export function isSameTensor(a: Tensor, b: Tensor): boolean {
	return a === b || (a.dtype === b.dtype && a.dims.join() === b.dims.join() && isSameBytes(a.bytes, b.bytes))
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]))
}

/** The byte ranges `[begin, end)` that make up one slice. */
function runs({ dims, bytes }: Tensor, axis: number, index: number): [begin: number, end: number][] {
	const count = dims[axis] ?? 1
	const blocks = dims.slice(0, axis).reduce((a, b) => a * b, 1)
	const runBytes = bytes.length / (blocks * count)
	return Array.from({ length: blocks }, (_, block) => {
		const begin = (block * count + index) * runBytes
		return [begin, begin + runBytes]
	})
}

/** `tensor` with only the slices `indices` along `axis`, in that order. A new tensor; the given one stays as it was. */
export function keepSlices(tensor: Tensor, axis: number, indices: readonly number[]): Tensor {
	const count = tensor.dims[axis] ?? 1
	const blocks = tensor.dims.slice(0, axis).reduce((a, b) => a * b, 1)
	const runBytes = tensor.bytes.length / (blocks * count)
	const bytes = new Uint8Array(blocks * indices.length * runBytes)
	let to = 0
	for (let block = 0; block < blocks; block++) {
		for (const index of indices) {
			const from = (block * count + index) * runBytes
			bytes.set(tensor.bytes.subarray(from, from + runBytes), to)
			to += runBytes
		}
	}
	return { dtype: tensor.dtype, dims: tensor.dims.map((dim, i) => (i === axis ? indices.length : dim)), bytes }
}
