/** Kernels, weight by weight: which input channel each one carries into which output channel. */
import { elementCount, floatsOf, floatTensor, type Tensor } from '../graph.ts'
import type { WeightsRole } from '../roles/roles.ts'

/** Calls `visit` for every weight as it is stored, with the numbers of its channels counted over all groups. */
export function forEachWeight(
	kernel: Tensor,
	role: WeightsRole,
	visit: (output: number, input: number, weight: number) => void,
): void {
	const { outAxis, inAxis, outputs, inputs, groups } = role
	const [outStride, inStride] = [strideOf(kernel, outAxis), strideOf(kernel, inAxis)]
	const [outPerGroup, inPerGroup] = [outputs / groups, inputs / groups]
	const weights = floatsOf(kernel)
	// A plain loop, and no iterator: large nets have 10^8 weights.
	for (let i = 0; i < weights.length; i++) {
		const output = Math.floor(i / outStride) % outputs
		const first = Math.floor(output / outPerGroup) * inPerGroup
		visit(output, first + (Math.floor(i / inStride) % inPerGroup), weights[i]!)
	}
}

function strideOf({ dims }: Tensor, axis: number): number {
	return elementCount(dims.slice(axis + 1))
}

/** Channels to keep of a layer, ascending. Every group that keeps any keeps equally many inputs, and equally many outputs. */
export interface KeptChannels {
	readonly outs: readonly number[]
	readonly ins: readonly number[]
}

/** The kernel for some channels only. */
export function sliceKernel(kernel: Tensor, role: WeightsRole, { outs, ins }: KeptChannels): Tensor {
	const groups = groupsOf(role, outs).length
	const lengths = new Map([
		[role.outAxis, outs.length],
		[role.inAxis, ins.length / groups],
	])
	const dims = kernel.dims.map((dim, axis) => lengths.get(axis) ?? dim)
	const [isOutKept, isInKept] = [flags(role.outputs, outs), flags(role.inputs, ins)]
	const sliced = new Float32Array(elementCount(dims))
	let next = 0
	// What is kept keeps its order, whichever axis comes first.
	forEachWeight(kernel, role, (output, input, weight) => {
		if (isOutKept[output] && isInKept[input]) sliced[next++] = weight
	})
	return floatTensor(dims, sliced)
}

/** The groups that some of these output channels belong to, ascending. */
export function groupsOf({ outputs, groups }: WeightsRole, outs: readonly number[]): number[] {
	return [...new Set(outs.map((output) => Math.floor((output * groups) / outputs)))]
}

/** One byte for each of `length` channels: 1 for those listed. */
export function flags(length: number, listed: readonly number[]): Uint8Array {
	const all = new Uint8Array(length)
	for (const each of listed) all[each] = 1
	return all
}

/** The channels whose byte is not 0, ascending. */
export function flagged(all: Uint8Array): number[] {
	return [...all.keys()].filter((each) => all[each] !== 0)
}
