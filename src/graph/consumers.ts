/** Who reads the channels of a value: the first layers behind it that mix them, add something to them, or put others beside them. */
import { type Graph, type Node, nodeName } from './graph.ts'
import type { ChannelRoles, Shapes } from './roles/roles.ts'

export type ConsumerKind =
	/** A convolution or dense layer: weights carry the channels into others. */
	| 'convolution'
	| 'dense'
	/** Batch normalization; whoever reads its output is listed, too. */
	| 'normalization'
	/** Added to the channels of another layer, as in a residual block: the two are tied. */
	| 'sum'
	/** Multiplied by channels of another layer, as by the gate of a squeeze-and-excite block. */
	| 'product'
	/** Put beside the channels of another layer. */
	| 'concatenation'
	/** Anything else that needs them all at once: attention, normalization across channels, an operator unknown to us. */
	| 'other'

/** A reader of channels. */
export interface Consumer {
	/** The node's name. */
	readonly name: string
	readonly op: string
	readonly kind: ConsumerKind
	/** Channel `c` is channel `offset + c` of what a concatenation makes; 0 for the others. */
	readonly offset: number
	/** Is the value only a factor for every place of a larger map? */
	readonly isGate: boolean
}

/**
 * The readers of `value`'s channels in the order of the graph, seen through activations, pooling, reshapes and normalization.
 *
 * @param channels of the same graph
 */
export function traceConsumers(graph: Graph, { roles }: ChannelRoles, shapes: Shapes, value: string): Consumer[] {
	const reached = new Set([value])
	return graph.nodes.flatMap((node) => {
		const place = node.inputs.findIndex((name) => reached.has(name))
		const operand = node.inputs[place]
		// Counting channels is not reading them.
		if (operand === undefined || node.op === 'Shape') return []
		const role = roles.get(node)
		const isAlone =
			role?.kind === 'reshape' ||
			role?.kind === 'transpose' ||
			(role?.kind === 'carry' &&
				role.shared.length === 0 &&
				role.operands.every(({ index }) => reached.has(node.inputs[index]!)))
		if (isAlone) reached.add(node.outputs[0]!)
		if (isAlone && node.op !== 'BatchNormalization') return []
		const offset = role?.kind === 'join' ? sum(role.lengths.slice(0, place)) : 0
		const isGate = elements(shapes, operand) < elements(shapes, node.outputs[0]!)
		const kind = kindOf(node, role?.kind)
		return [{ name: nodeName(node), op: node.op, kind, offset, isGate: kind === 'product' && isGate }]
	})
}

function kindOf({ op }: Node, role: string | undefined): ConsumerKind {
	if (role === 'weights') return op === 'Conv' || op === 'ConvTranspose' ? 'convolution' : 'dense'
	if (role === 'join') return 'concatenation'
	if (op === 'BatchNormalization') return 'normalization'
	if (role !== 'carry') return 'other'
	return op === 'Add' || op === 'Sub' ? 'sum' : op === 'Mul' || op === 'Div' ? 'product' : 'other'
}

function elements(shapes: Shapes, name: string): number {
	return (shapes.get(name)?.shape ?? []).slice(1).reduce<number>((product, dim) => product * Number(dim), 1)
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((a, b) => a + b, 0)
}
