/** Puts changed weights back into the file they came from: those bytes change and no other. */
import { floatsOf, type Graph, type Tensor, type TensorOrigin } from '../../graph/graph.ts'
import { putFloat } from './floats.ts'
import { editHdf5 } from './hdf5.ts'
import { storedIndices } from './origin.ts'
import type { WeightFile } from './stored.ts'

interface Change {
	readonly origin: TensorOrigin
	readonly before: Tensor
	readonly after: Tensor
}

/**
 * A copy of `bytes` (the file that `before` was opened from) in which every element of a stored weight that `after` has changed is
 * written to its dataset, in the dataset's own precision. Elements that are equal bit for bit as float32 keep their stored bytes, so a
 * float64 file loses no precision where nothing was done. Chunked or compressed datasets may move inside the file; contiguous ones,
 * which Keras writes, do not. Throws `FormatError` (`corrupt-hdf5`) where the datasets are not there.
 */
export async function writeBackKeras(bytes: Uint8Array, before: Graph, after: Graph): Promise<Uint8Array<ArrayBuffer>> {
	if (changesOf(before, after).length === 0) return new Uint8Array(bytes)
	return editHdf5(bytes, 'model.h5', (file) => writeChanges(file, before, after))
}

/** Writes every element of a stored weight that differs between `before` and `after` to `file`. */
export function writeChanges(file: WeightFile, before: Graph, after: Graph): void {
	for (const change of changesOf(before, after)) applyChange(file, change)
}

function changesOf(before: Graph, after: Graph): Change[] {
	return [...after.initializers].flatMap(([name, tensor]) => changeOf(before.initializers.get(name), tensor))
}

function changeOf(before: Tensor | undefined, after: Tensor): Change[] {
	const origin = before?.origin
	return before && origin && before !== after ? [{ origin, before, after }] : []
}

function applyChange(file: WeightFile, { origin, before, after }: Change): void {
	const array = file.readArray(origin.dataset)
	const indices = storedIndices(origin.reshape, origin.perm)
	const [old, changed] = [bitsOf(before), bitsOf(after)]
	const values = floatsOf(after)
	let isChanged = false
	for (let index = 0; index < values.length; index++) {
		if (old[index] === changed[index]) continue
		putFloat(array, indices?.[index] ?? index, values[index] as number)
		isChanged = true
	}
	if (isChanged) file.writeArray(array)
}

/** The values as bit patterns: unlike numbers they tell 0 from -0, and NaN equals itself. */
function bitsOf(tensor: Tensor): Uint32Array {
	const floats = floatsOf(tensor)
	return new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
}
