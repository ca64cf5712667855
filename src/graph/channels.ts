/**
 * Channels of a value, traced back to the layer whose filters make them. Between a convolution and the place where its channels are
 * pruned stand layers that carry each channel on by itself: normalization, activation, pooling, padding. Zeroing a filter's kernel and
 * bias makes its channel constant behind all of them, which is what "pruning a channel" means (fine-pruning, arXiv:1805.12185, sec. 4).
 */
import type { ChannelAxis } from './edit.ts'
import { attributeInt, attributeInts, type Dim, type Graph, intsOf, type Node, type Tensor } from './graph.ts'
import { constantOf, readersOf, writersOf } from './query.ts'
import { ELEMENTWISE, POOLS } from './roles/carry.ts'

/** A layer that makes channels of a value, and the constants that hold its filters. */
export interface Producer {
	readonly node: Node
	/** Kernel first, then the bias where there is one. Filter `f` is slice `f` of each. */
	readonly filters: readonly ChannelAxis[]
	/** Filter `f` makes channel `offset + f` of the value: 0 unless a concatenation put other channels before it. */
	readonly offset: number
}

/** Operators that treat every channel by itself and keep the channel axis where it is. */
const CARRIERS = new Set([
	...ELEMENTWISE,
	...POOLS,
	...'BatchNormalization InstanceNormalization Resize Upsample Pad ReduceMean ReduceMax'.split(' '),
])

/**
 * Finds the filters that make the channels of `value` along `axis`, where zeroing them silences exactly these channels.
 *
 * @param rankOf number of axes of a value, where known
 * @returns null where zeroing filters would not silence exactly these channels: a sum or concatenation of several layers, a filter or an
 * intermediate that something else reads as well, or a value that no convolution or dense layer makes. Then a mask must do.
 */
export function traceProducer(
	graph: Graph,
	value: string,
	axis: number,
	rankOf: (name: string) => number | undefined,
): Producer | null {
	const trace = startTrace(graph, rankOf)
	const [producer, second] = follow(trace, value, axis) ?? []
	const isAlone = producer !== undefined && second === undefined && !trace.isConcatenated
	return isAlone && isOnlyReadWithin(trace, producer, value) ? producer : null
}

/**
 * All layers that together make the channels of `value`: one behind a plain convolution, several where branches are summed (their
 * channels are tied: none can go without the others) or concatenated (each has its own `offset`).
 *
 * @param shapeOf axes of a value, where known
 * @returns in the order of the graph; null where something else than filters (the image, a product of two computed values) makes them
 */
export function traceProducers(
	graph: Graph,
	value: string,
	axis: number,
	shapeOf: (name: string) => readonly Dim[] | undefined,
): readonly Producer[] | null {
	const trace = startTrace(graph, (name) => shapeOf(name)?.length, shapeOf)
	const producers = follow(trace, value, axis)
	const order = new Map(graph.nodes.map((node, i) => [node, i]))
	return producers && [...producers].sort((a, b) => order.get(a.node)! - order.get(b.node)!)
}

/** The batch normalization that alone reads what `node` writes, a separate bias between them allowed; null where there is none. */
export function normalizationBehind(graph: Graph, node: Node): Node | null {
	const readers = readersOf(graph)
	const [reader, second] = readers.get(node.outputs[0] ?? '') ?? []
	if (!reader || second) return null
	if (reader.op === 'BatchNormalization') return reader
	const isBias = reader.op === 'Add' && reader.inputs.some((name) => constantOf(graph, name))
	return isBias ? normalizationBehind(graph, reader) : null
}

interface Trace {
	readonly graph: Graph
	readonly rankOf: (name: string) => number | undefined
	readonly shapeOf: (name: string) => readonly Dim[] | undefined
	readonly writers: ReadonlyMap<string, Node>
	readonly visited: Set<Node>
	/** What was found already, by value and axis: graphs may join and part many times. */
	readonly found: Map<string, readonly Producer[] | null>
	isConcatenated: boolean
}

function startTrace(graph: Graph, rankOf: Trace['rankOf'], shapeOf: Trace['shapeOf'] = () => undefined): Trace {
	return {
		graph,
		rankOf,
		shapeOf,
		writers: writersOf(graph),
		visited: new Set(),
		found: new Map(),
		isConcatenated: false,
	}
}

function follow(trace: Trace, value: string, axis: number): readonly Producer[] | null {
	const key = `${axis} ${value}`
	const known = trace.found.get(key)
	if (known !== undefined) return known
	const producers = followWriter(trace, value, axis)
	trace.found.set(key, producers)
	return producers
}

function followWriter(trace: Trace, value: string, axis: number): readonly Producer[] | null {
	const node = trace.writers.get(value)
	if (node?.domain !== '' || node.outputs[0] !== value) return null
	const filters = filtersOf(trace, node, axis)
	if (filters) return [{ node, filters, offset: 0 }]
	trace.visited.add(node)
	if (node.op === 'Transpose') {
		const perm = attributeInts(node, 'perm')
		return perm?.[axis] === undefined ? null : follow(trace, node.inputs[0]!, perm[axis])
	}
	if (node.op === 'Concat') return followConcat(trace, node, axis)
	return carriesChannel(trace.graph, node, axis, trace.writers) ? followCarrier(trace, node, axis) : null
}

/** Along the channels the parts stand one behind the other; along another axis they are tied. */
function followConcat(trace: Trace, node: Node, axis: number): readonly Producer[] | null {
	trace.isConcatenated = true
	const along = attributeInt(node, 'axis', 1)
	const isAlong = (along < 0 ? along + (trace.rankOf(node.outputs[0]!) ?? 0) : along) === axis
	let offset = 0
	const all: Producer[] = []
	for (const name of node.inputs) {
		const producers = follow(trace, name, axis)
		const length = trace.shapeOf(name)?.[axis]
		if (!producers || typeof length !== 'number') return null
		const begin = offset
		all.push(...producers.map((each) => ({ ...each, offset: each.offset + begin })))
		if (isAlong) offset += length
	}
	return distinct(all)
}

function distinct(producers: readonly Producer[]): Producer[] {
	return [...new Map(producers.map((each) => [`${each.offset} ${each.node.outputs[0]}`, each])).values()]
}

/** Does `node` make channel `c` of its output, along `axis`, of channel `c` of its inputs and of constants alone? */
export function carriesChannel(
	graph: Graph,
	node: Node,
	axis: number,
	writers: ReadonlyMap<string, Node> = writersOf(graph),
): boolean {
	if (node.domain !== '' || !CARRIERS.has(node.op)) return false
	const listed = attributeInts(node, 'axes') ?? intsOrUndefined(constantOf(graph, node.inputs[1] ?? '', writers))
	if (node.op.startsWith('Reduce')) {
		// Reducing an axis behind the channels leaves them where they are.
		return listed?.every((each) => each > axis) ?? false
	}
	const pads = attributeInts(node, 'pads') ?? listed
	return node.op !== 'Pad' || (pads !== undefined && pads[axis] === 0 && pads[axis + pads.length / 2] === 0)
}

function intsOrUndefined(tensor: Tensor | undefined): number[] | undefined {
	return tensor?.dtype === 'int64' ? intsOf(tensor) : undefined
}

/** One producer where both inputs come from it, as the factors of `x * sigmoid(x)` do; several where layers are summed. */
function followCarrier(trace: Trace, node: Node, axis: number): readonly Producer[] | null {
	const variable = node.inputs.filter(
		(name) => name !== '' && !constantOf(trace.graph, name, trace.writers) && !isGate(trace, node, name),
	)
	const each = variable.map((name) => followOperand(trace, node, name, axis))
	const [first, ...others] = distinct(each.flatMap((producers) => producers ?? []))
	if (!first || each.includes(null)) return null
	if (others.length > 0) return [first, ...others]
	const bias = separateBias(trace, node, first, axis)
	return bias ? [{ ...first, filters: [...first.filters, bias] }] : [first]
}

/** A factor for whole maps, where shapes are known to tell: it scales channels and makes none. */
function isGate({ shapeOf }: Trace, node: Node, name: string): boolean {
	const [shape, out] = [shapeOf(name), shapeOf(node.outputs[0]!)]
	return node.op === 'Mul' && shape !== undefined && out !== undefined && countOf(shape) < countOf(out)
}

function countOf(shape: readonly Dim[]): number {
	return shape.reduce<number>((product, dim) => product * (Number(dim) || 1), 1)
}

/** Operands of different rank are aligned from the right, as numpy does; one without the channels, or with one for all, carries none. */
function followOperand(trace: Trace, node: Node, name: string, axis: number): readonly Producer[] | null {
	if (node.inputs.length === 1 || node.op.startsWith('Reduce')) return follow(trace, name, axis)
	const out = node.outputs[0]!
	const [outRank, rank] = [trace.rankOf(out), trace.rankOf(name)]
	const at = outRank === undefined || rank === undefined ? axis : axis - outRank + rank
	const isForAll = trace.shapeOf(name)?.[at] === 1 && trace.shapeOf(out)?.[axis] !== 1
	return at < 0 || isForAll ? null : follow(trace, name, at)
}

/** Some exporters write the bias as an Add directly behind the convolution (CNTK, ONNXMLTools): it is part of the filter. */
function separateBias(trace: Trace, node: Node, producer: Producer, axis: number): ChannelAxis | null {
	const readsProducer = node.inputs.includes(producer.node.outputs[0]!)
	if (node.op !== 'Add' || producer.filters.length > 1 || !readsProducer) return null
	const name = node.inputs.find((each) => constantOf(trace.graph, each, trace.writers))
	const dims = name === undefined ? undefined : constantOf(trace.graph, name, trace.writers)?.dims
	if (name === undefined || !dims) return null
	const channels = channelsOf(trace, producer)
	// One number a channel, broadcast from the right as numpy does, whatever axes of length 1 are written around it.
	const wide = dims.flatMap((dim, i) => (dim === 1 ? [] : [i]))
	const isPerChannel = wide.length === 1 && dims[wide[0]!] === channels
	const isAligned = axis === (trace.rankOf(node.outputs[0]!) ?? 0) - dims.length + (wide[0] ?? 0)
	return isPerChannel && isAligned ? { name, axis: wide[0]! } : null
}

function channelsOf(trace: Trace, { filters }: Producer): number | undefined {
	const [kernel] = filters
	return kernel && constantOf(trace.graph, kernel.name, trace.writers)?.dims[kernel.axis]
}

/** The constants of a convolution or dense layer whose slices make the channels along `axis` of its output, or null. */
function filtersOf(trace: Trace, node: Node, axis: number): ChannelAxis[] | null {
	const kernelAxis = kernelAxisOf(trace, node, axis)
	if (kernelAxis === null) return null
	const [, kernel, bias] = node.inputs
	const biasDims = bias ? constantOf(trace.graph, bias, trace.writers)?.dims : undefined
	if (bias && !biasDims) return null
	return [{ name: kernel!, axis: kernelAxis }, ...(bias && biasDims ? [{ name: bias, axis: biasDims.length - 1 }] : [])]
}

function kernelAxisOf(trace: Trace, node: Node, axis: number): number | null {
	const rank = constantOf(trace.graph, node.inputs[1] ?? '', trace.writers)?.dims.length
	if (rank === undefined) return null
	switch (node.op) {
		case 'Conv':
			return axis === 1 ? 0 : null
		case 'ConvTranspose':
			// With groups, output channels are split over both axes of the kernel.
			return axis === 1 && attributeInt(node, 'group', 1) === 1 ? 1 : null
		case 'Gemm':
			return axis === 1 ? (attributeInt(node, 'transB', 0) ? 0 : 1) : null
		case 'MatMul':
			return rank === 2 && axis === (trace.rankOf(node.outputs[0]!) ?? 0) - 1 ? 1 : null
		default:
			return null
	}
}

/** Is everything from the filters to `value` read by nothing outside this chain? */
function isOnlyReadWithin(trace: Trace, producer: Producer, value: string): boolean {
	const { graph, visited } = trace
	const readers = readersOf(graph)
	const outputs = new Set(graph.outputs.map(({ name }) => name))
	const filtersAreOwn = producer.filters.every(({ name }) => readers.get(name)?.length === 1)
	const made = [producer.node, ...visited]
		.flatMap((node) => node.outputs)
		.filter((name) => name !== value && name !== '')
	return (
		filtersAreOwn && made.every((name) => !outputs.has(name) && (readers.get(name) ?? []).every((n) => visited.has(n)))
	)
}
