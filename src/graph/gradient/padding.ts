/** Pad in all its modes. */

import { UnsupportedError } from '../../errors.ts'
import { attributeString, intsOf, type Node } from '../graph.ts'
import { axisMap, transposeMaps } from './along-axis.ts'
import { notConstant } from './constants.ts'
import type { GradientRules } from './rule.ts'
import type { Tape } from './tape.ts'

export const paddingRules: GradientRules = {
	Pad: ({ node, tape, gradient, isWanted }) => {
		const [x, , constant] = node.inputs as [string, string, string | undefined]
		const input = tape.shapeOf(x)
		const output = tape.shapeOf(node.outputs[0]!)
		const { begin, end } = padsByAxis(tape, node, input.length)
		const mode = attributeString(node, 'mode', 'constant')
		if (mode !== 'constant') {
			const maps = input.flatMap((size, axis) => {
				if (begin[axis] === 0 && end[axis] === 0) return []
				const source = (at: number) => sourceOf(mode, at - begin[axis]!, size)
				return [axisMap(axis, size, output[axis]!, (at) => [[source(at), 1]])]
			})
			return [transposeMaps(tape, gradient, output, maps)]
		}
		// What was added is cut off, and what was cut off (by a negative pad) had no influence.
		const back = tape.emit('Pad', [gradient, tape.integers([...begin, ...end].map((pad) => -pad))])
		if (!constant || !isWanted(2)) return [back]
		const all = output.map((_, axis) => axis)
		const [total, inside] = [gradient, back].map((each) => tape.reduce('ReduceSum', each, all, false)) as [
			string,
			string,
		]
		return [back, undefined, tape.reshape(tape.emit('Sub', [total, inside]), tape.shapeOf(constant))]
	},
}

/** The position whose value stands at `at`, counted from the first of `size` elements. */
function sourceOf(mode: string, at: number, size: number): number {
	switch (mode) {
		case 'edge':
			return Math.min(Math.max(at, 0), size - 1)
		case 'wrap':
			return modulo(at, size)
		case 'reflect': {
			const period = Math.max(1, 2 * (size - 1))
			const inPeriod = modulo(at, period)
			return Math.min(inPeriod, period - inPeriod)
		}
		default:
			throw new UnsupportedError(
				'no-gradient',
				`Pad mode ${mode} has no gradient rule; constant, edge, reflect and wrap have`,
			)
	}
}

function modulo(at: number, size: number): number {
	return ((at % size) + size) % size
}

function padsByAxis(tape: Tape, node: Node, rank: number) {
	const [, pads, , axes] = node.inputs
	const values = constantInts(tape, node, pads!)
	const chosen = axes ? constantInts(tape, node, axes) : Array.from({ length: rank }, (_, axis) => axis)
	const begin = Array<number>(rank).fill(0)
	const end = Array<number>(rank).fill(0)
	for (const [i, axis] of chosen.entries()) {
		begin[(axis + rank) % rank] = values[i]!
		end[(axis + rank) % rank] = values[i + chosen.length]!
	}
	return { begin, end }
}

function constantInts(tape: Tape, node: Node, name: string): number[] {
	const tensor = tape.constantOf(name)
	if (tensor) return intsOf(tensor)
	throw notConstant(node, name)
}
