/** Linear maps that treat each axis by itself (average pooling, interpolation, reflection), and their gradients as matrix products. */
import { elementCount, floatTensor } from '../graph.ts'
import type { Shape, Tape } from './tape.ts'

/** `output[o] = Σ over i of weights[o · inputs + i] · input[i]` along one axis. */
export interface AxisMap {
	readonly axis: number
	readonly inputs: number
	readonly outputs: number
	/** `[outputs, inputs]` */
	readonly weights: Float32Array
}

/** A map along `axis`, built row by row: `termsOf(o)` are the inputs that output `o` reads, with their weights; repeats add up. */
export function axisMap(
	axis: number,
	inputs: number,
	outputs: number,
	termsOf: (output: number) => readonly (readonly [input: number, weight: number])[],
): AxisMap {
	const weights = new Float32Array(inputs * outputs)
	for (let output = 0; output < outputs; output++) {
		for (const [input, weight] of termsOf(output)) weights[output * inputs + input]! += weight
	}
	return { axis, inputs, outputs, weights }
}

/** The gradient of what `maps` were applied to, from `gradient` of shape `shape`, which they gave. */
export function transposeMaps(tape: Tape, gradient: string, shape: Shape, maps: readonly AxisMap[]): string {
	let current = { name: gradient, shape }
	for (const map of maps) current = transposeMap(tape, current, map)
	return current.name
}

function transposeMap(tape: Tape, { name, shape }: { name: string; shape: Shape }, map: AxisMap) {
	const { axis, inputs, outputs, weights } = map
	const result = shape.with(axis, inputs)
	const before = elementCount(shape.slice(0, axis))
	const behind = elementCount(shape.slice(axis + 1))
	if (behind === 1) {
		const flat = tape.reshape(name, [before, outputs])
		const matrix = tape.constant(floatTensor([outputs, inputs], weights))
		return { name: tape.reshape(tape.emit('MatMul', [flat, matrix]), result), shape: result }
	}
	const turned = new Float32Array(weights.length)
	for (let i = 0; i < inputs; i++) {
		for (let o = 0; o < outputs; o++) turned[i * outputs + o] = weights[o * inputs + i]!
	}
	const stacked = tape.reshape(name, [before, outputs, behind])
	const matrix = tape.constant(floatTensor([inputs, outputs], turned))
	return { name: tape.reshape(tape.emit('MatMul', [matrix, stacked]), result), shape: result }
}
