/** A net whose input is no longer fed but computed by nodes of ours: pictures or triggers that are sought stand in front of it. */
import type { Tape } from '../../graph/gradient/tape.ts'
import { type Graph, makeNode, type Tensor, type Value } from '../../graph/graph.ts'
import type { Model } from '../../model/model.ts'
import { channelTensor } from './planes.ts'

/** `level · scale`, less the mean, over the deviation, channel by channel: preprocessing as nodes. @param levels 0..255, in the order of the net's input */
export function preprocessed(tape: Tape, levels: string, { input, preprocessing }: Model): string {
	const { scale, mean, std } = preprocessing
	const at = (values: readonly number[] | null, c: number, none: number) => values?.[c] ?? values?.[0] ?? none
	const factor = tape.constant(channelTensor(input, (c) => scale / at(std, c, 1)))
	const offset = tape.constant(channelTensor(input, (c) => -at(mean, c, 0) / at(std, c, 1)))
	return tape.emit('Add', [tape.emit('Mul', [levels, factor]), offset])
}

/**
 * `net` behind what is on `tape`, without outputs.
 *
 * @param tape written over `net`
 * @param images the value that becomes the net's input, float32
 * @param inputs what is fed instead
 * @param learned constants that the tape reads by name
 */
export function withComputedInput(
	net: Graph,
	tape: Tape,
	images: string,
	{ input }: Model,
	{ inputs, learned }: { readonly inputs: readonly Value[]; readonly learned: ReadonlyMap<string, Tensor> },
): Graph {
	const typed = input.dtype === 'float32' ? images : tape.cast(images, input.dtype)
	return {
		...net,
		inputs,
		nodes: [...tape.nodes, makeNode('Identity', [typed], [input.name]), ...net.nodes],
		initializers: new Map([...net.initializers, ...tape.initializers, ...learned]),
		outputs: [],
	}
}
