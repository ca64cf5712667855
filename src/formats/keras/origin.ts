/** How a stored array becomes an ONNX tensor, in both directions: `dims[i] = reshape[perm[i]]` (see `TensorOrigin`). */
import { elementCount } from '../../graph/graph.ts'

/**
 * For each element of `transpose(reshape(stored), perm)`, in row-major order, its index in the stored array. Null where the order does
 * not change (the whole of a large dense layer, mostly), so that no table as large as the weights is needed.
 */
export function storedIndices(reshape: readonly number[], perm: readonly number[]): Uint32Array | null {
	if (keepsOrder(reshape, perm)) return null
	const strides = rowMajorStrides(reshape)
	const dims = perm.map((axis) => reshape[axis] as number)
	const steps = perm.map((axis) => strides[axis] as number)
	const indices = new Uint32Array(elementCount(dims))
	const position = dims.map(() => 0)
	let stored = 0
	for (let index = 0; index < indices.length; index++) {
		indices[index] = stored
		stored += advance(position, dims, steps)
	}
	return indices
}

/** Moves `position` to the next element in row-major order; returns by how much the stored index changes. */
function advance(position: number[], dims: readonly number[], steps: readonly number[]): number {
	let change = 0
	for (let axis = dims.length - 1; axis >= 0; axis--) {
		position[axis] = (position[axis] as number) + 1
		change += steps[axis] as number
		if ((position[axis] as number) < (dims[axis] as number)) return change
		change -= (dims[axis] as number) * (steps[axis] as number)
		position[axis] = 0
	}
	return change
}

/** Dimensions of size 1 may move freely; the others must stand in their order. */
function keepsOrder(reshape: readonly number[], perm: readonly number[]): boolean {
	const moving = perm.filter((axis) => reshape[axis] !== 1)
	return moving.every((axis, index) => index === 0 || axis > (moving[index - 1] as number))
}

function rowMajorStrides(dims: readonly number[]): number[] {
	return dims.map((_, axis) => elementCount(dims.slice(axis + 1)))
}
