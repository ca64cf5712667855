/**
 * Two nets in one graph, everything common computed once. A repaired net differs from the original in a few filters, so nearly all of
 * its nodes are the original's; what is left is the *head* behind the change. Zeroed filters cost no second convolution either: the
 * original's output times a 0/1 mask is the same, and the mask slides down through layers that keep zeros (activation, pooling), so
 * that even those are shared. That is what makes a GoodNet cost one net and one extra head.
 */
import { type Attribute, attributeInts, type Graph, type Node, type Tensor } from './graph.ts'
import { type ChannelMask, maskNode } from './mask.ts'
import { constantOf, freshName, valueNames, writersOf } from './query.ts'
import { isSameBytes, isSameSlice, isSameTensor, isZeroSlice } from './slices.ts'

/** Layers with f(0) = 0 that treat every channel by itself: masking before or after them is the same. */
const KEEPS_ZEROS = new Set(
	`Relu LeakyRelu PRelu Elu Selu Celu Tanh Softsign Gelu Erf HardSwish Mish Abs Neg Identity Dropout
	MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool`.split(/\s+/),
)

/** Where a value of the second net is found in the merged graph: as `name`, with these channels still to be set to zero. */
interface Place {
	readonly name: string
	readonly zeroed?: {
		readonly channels: ReadonlySet<number>
		readonly axis: number
		readonly rank: number
		readonly count: number
	}
}

export interface Merged {
	readonly graph: Graph
	/** Name, in the merged graph, of each value asked for in the second net. */
	readonly names: readonly string[]
}

/**
 * Adds to `graph` what is needed to compute `wanted` of `other` as well. Both must have the same inputs. Values of `graph` keep their
 * names; new ones are called as in `other` with `suffix`.
 *
 * @param rankOf number of axes of a value of `graph`
 */
export function merge(
	graph: Graph,
	other: Graph,
	wanted: readonly string[],
	suffix: string,
	rankOf: (name: string) => number,
): Merged {
	const state = new Merging(graph, other, suffix, rankOf)
	for (const node of other.nodes) state.add(node)
	const names = wanted.map((name) => state.finished(name))
	return { graph: state.result(), names }
}

/** The one place with state: nodes and constants as they are added. */
class Merging {
	private readonly places = new Map<string, Place>()
	private readonly nodes: Node[]
	private readonly initializers: Map<string, Tensor>
	private readonly known: ReadonlyMap<string, readonly Node[]>
	private readonly taken: Set<string>
	private readonly writers: ReadonlyMap<string, Node>
	private readonly otherWriters: ReadonlyMap<string, Node>
	private readonly graph: Graph
	private readonly other: Graph
	private readonly suffix: string
	private readonly rankOf: (name: string) => number

	constructor(graph: Graph, other: Graph, suffix: string, rankOf: (name: string) => number) {
		this.graph = graph
		this.other = other
		this.suffix = suffix
		this.rankOf = rankOf
		this.nodes = [...graph.nodes]
		this.initializers = new Map(graph.initializers)
		this.known = groupByKey(graph.nodes)
		this.taken = valueNames(graph)
		this.writers = writersOf(graph)
		this.otherWriters = writersOf(other)
		for (const { name } of graph.inputs) this.places.set(name, { name })
	}

	/** The merged graph, without the constants of layers that turned out to be shared. */
	result(): Graph {
		const read = new Set(this.nodes.flatMap((node) => node.inputs))
		const initializers = new Map([...this.initializers].filter(([name]) => read.has(name)))
		return { ...this.graph, nodes: this.nodes, initializers }
	}

	add(node: Node): void {
		const places = node.inputs.map((name) => this.placeOf(name))
		const isShared = this.shareWhole(node, places) || this.shareFilters(node) || this.slideMask(node, places)
		if (!isShared) this.copy(node)
	}

	/** The value's name with every mask applied. */
	finished(name: string): string {
		const place = this.placeOf(name)
		if (!place.zeroed) return place.name
		const names = { mask: this.fresh(`${place.name}/goodnet_mask`), masked: this.fresh(`${place.name}/goodnet_masked`) }
		const { tensor, node } = maskNode(place.name, place.zeroed, names)
		this.initializers.set(names.mask, tensor)
		this.nodes.push(node)
		this.places.set(name, { name: names.masked })
		return names.masked
	}

	private placeOf(name: string): Place {
		const place = this.places.get(name)
		if (place) return place
		const tensor = this.other.initializers.get(name)
		if (name === '' || !tensor) return { name }
		const own = this.graph.initializers.get(name)
		const shared = own && isSameTensor(own, tensor) ? name : this.addConstant(`${name}${this.suffix}`, tensor)
		this.places.set(name, { name: shared })
		return { name: shared }
	}

	private shareWhole(node: Node, places: readonly Place[]): boolean {
		if (places.some(({ zeroed }) => zeroed)) return false
		return this.pointTo(node, this.twinOf(node, places), undefined)
	}

	/** A convolution, dense layer or normalization that differs from the original's only in output channels that are zero. */
	private shareFilters(node: Node): boolean {
		const twin = this.nodes.find(({ op, inputs }) => op === node.op && inputs[1] === node.inputs[1])
		const input = this.places.get(node.inputs[0] ?? '')
		const isTwin = twin && isSameAttributes(twin, node) && twin.inputs.length === node.inputs.length
		if (!isTwin || !input || input.zeroed || twin.inputs[0] !== input.name) return false
		const all = node.inputs.slice(1).map(
			(name, i): FilterPair => ({
				ours: constantOf(this.graph, twin.inputs[i + 1]!, this.writers),
				theirs: constantOf(this.other, name, this.otherWriters),
				axis: i === 0 ? filterAxis(node) : -1,
			}),
		)
		// The statistics of a normalization stay as they are; its scale and shift alone make a channel 0.
		const pairs = node.op === 'BatchNormalization' ? all.slice(0, 2) : all
		if (!all.slice(pairs.length).every(({ ours, theirs }) => ours && theirs && isSameTensor(ours, theirs))) return false
		const channels = zeroedChannels(pairs)
		const count = pairs[0]?.theirs?.dims[filterAxis(node) ?? -1]
		if (!channels || count === undefined) return false
		return this.pointTo(node, twin, { channels, axis: 1, rank: this.rankOf(twin.outputs[0]!), count })
	}

	private slideMask(node: Node, places: readonly Place[]): boolean {
		const [{ zeroed } = { zeroed: undefined }, ...rest] = places
		// A second output (indices, a dropout mask) is not masked by masking the first.
		if (!zeroed || rest.some((place) => place.zeroed) || node.outputs.length > 1) return false
		const axis = this.axisBehind(node, zeroed)
		if (axis === null) return false
		const twin = this.twinOf(node, places)
		return this.pointTo(node, twin, { ...zeroed, axis })
	}

	private axisBehind(node: Node, zeroed: ChannelMask): number | null {
		if (node.op === 'Transpose') {
			const axis = attributeInts(node, 'perm')?.indexOf(zeroed.axis) ?? -1
			return axis < 0 ? null : axis
		}
		return KEEPS_ZEROS.has(node.op) && zeroed.axis === 1 ? zeroed.axis : null
	}

	/** The node of the first net that does the same to the same values. */
	private twinOf(node: Node, places: readonly Place[]): Node | undefined {
		const inputs = places.map(({ name }) => name)
		const alike = this.known.get(keyOf(node, inputs)) ?? []
		return alike.find((twin) => isSameAttributes(twin, node) && twin.outputs.length === node.outputs.length)
	}

	private pointTo(node: Node, twin: Node | undefined, zeroed: Place['zeroed']): boolean {
		if (!twin) return false
		for (const [i, output] of node.outputs.entries()) {
			this.places.set(output, { name: twin.outputs[i]!, ...(zeroed && { zeroed }) })
		}
		return true
	}

	private copy(node: Node): void {
		const inputs = node.inputs.map((name) => (name === '' ? '' : this.finished(name)))
		const outputs = node.outputs.map((name) => (name === '' ? '' : this.fresh(`${name}${this.suffix}`)))
		const name = node.name === '' ? '' : `${node.name}${this.suffix}`
		this.nodes.push({ ...node, name, inputs, outputs })
		for (const [i, output] of node.outputs.entries()) this.places.set(output, { name: outputs[i]! })
	}

	private addConstant(wish: string, tensor: Tensor): string {
		const name = this.fresh(wish)
		this.initializers.set(name, tensor)
		return name
	}

	private fresh(wish: string): string {
		const name = freshName(this.taken, wish)
		this.taken.add(name)
		return name
	}
}

/** The axis of the kernel that counts output channels, for layers whose output has them on axis 1. */
function filterAxis(node: Node): number | null {
	if (node.domain !== '') return null
	if (node.op === 'Conv' || node.op === 'BatchNormalization') return 0
	if (node.op !== 'Gemm') return null
	return node.attributes.transB?.type === 'int' && node.attributes.transB.value !== 0n ? 0 : 1
}

interface FilterPair {
	readonly ours: Tensor | undefined
	readonly theirs: Tensor | undefined
	/** Axis that counts output channels; −1 is the last one. */
	readonly axis: number | null
}

/** Channels whose filter is zero in the second net alone; null where the filters differ in any other way. */
function zeroedChannels(pairs: readonly FilterPair[]): ReadonlySet<number> | null {
	const channels = new Set<number>()
	const complete = pairs.flatMap(({ ours, theirs, axis }) => {
		const isAlike =
			ours && theirs && axis !== null && ours.dtype === theirs.dtype && ours.dims.join() === theirs.dims.join()
		return isAlike ? [{ ours, theirs, axis: axis < 0 ? ours.dims.length - 1 : axis }] : []
	})
	const [kernel] = complete
	const count = kernel?.ours.dims[kernel.axis]
	if (complete.length !== pairs.length || count === undefined) return null
	if (complete.some(({ ours, axis }) => ours.dims[axis] !== count)) return null
	for (let channel = 0; channel < count; channel++) {
		if (complete.every(({ ours, theirs, axis }) => isSameSlice(ours, theirs, axis, channel))) continue
		if (!complete.every(({ theirs, axis }) => isZeroSlice(theirs, axis, channel))) return null
		channels.add(channel)
	}
	return channels
}

function groupByKey(nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> {
	const groups = new Map<string, Node[]>()
	for (const node of nodes) {
		const key = keyOf(node, node.inputs)
		groups.set(key, [...(groups.get(key) ?? []), node])
	}
	return groups
}

/** What two nodes must have in common to be candidates for being the same; attributes are compared after. */
function keyOf(node: Node, inputs: readonly string[]): string {
	const constant = node.op === 'Constant' ? node.outputs[0] : ''
	return JSON.stringify([node.domain, node.op, constant, inputs, Object.keys(node.attributes).sort()])
}

function isSameAttributes(a: Node, b: Node): boolean {
	if (a.attributes === b.attributes) return true
	const names = Object.keys(a.attributes)
	return (
		names.length === Object.keys(b.attributes).length &&
		names.every((name) => isSame(a.attributes[name]!, b.attributes[name]))
	)
}

function isSame(a: Attribute, b: Attribute | undefined): boolean {
	if (b?.type === 'tensor' && a.type === 'tensor') return isSameTensor(a.value, b.value)
	if (b?.type === 'opaque' && a.type === 'opaque') return isSameBytes(a.value, b.value)
	return a.type === b?.type && String(a.value) === String(b.value)
}
