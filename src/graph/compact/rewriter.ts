/** Writes a graph anew, node by node, with some channels of its values left out. */
import { floatsOf, floatTensor, type Graph, intTensor, makeNode, type Node, type Tensor } from '../graph.ts'
import { constantOf, freshName, readersOf, valueNames, writersOf } from '../query.ts'
import type { CarryRole, ChannelRoles, JoinRole, ReshapeRole, WeightsRole } from '../roles/roles.ts'
import { keepSlices } from '../slices.ts'
import { type ConstantChannels, channelAt } from './constants.ts'
import type { ChannelNeeds } from './needs.ts'
import { flagged, flags, forEachWeight, groupsOf, type KeptChannels, sliceKernel } from './weights.ts'

/** The channels that a value still has, ascending, by their old numbers. */
type Layout = readonly number[]

/**
 * Every value keeps at least the channels that are needed of it. It keeps more where a layer passes them on in one piece, and a Gather
 * picks from it where summands would otherwise differ (the shortcut of a residual net may have more than its sum needs).
 */
export class Rewriter {
	readonly #graph: Graph
	readonly #channels: ChannelRoles
	readonly #known: ConstantChannels
	readonly #needs: ChannelNeeds
	readonly #writers: ReadonlyMap<string, Node>
	readonly #readers: ReadonlyMap<string, readonly Node[]>
	readonly #taken: Set<string>
	readonly #initializers: Map<string, Tensor>
	/** Only of values that have fewer than before. */
	readonly #layouts = new Map<string, Layout>()
	/** Values that another one now stands for, a mask of ones having gone. */
	readonly #renamed = new Map<string, string>()
	readonly #picked = new Map<string, string>()

	constructor(graph: Graph, channels: ChannelRoles, known: ConstantChannels, needs: ChannelNeeds) {
		this.#graph = graph
		this.#channels = channels
		this.#known = known
		this.#needs = needs
		this.#writers = writersOf(graph)
		this.#readers = readersOf(graph)
		this.#taken = valueNames(graph)
		this.#initializers = new Map(graph.initializers)
	}

	/** Of values that have fewer channels than before: those left, once the graph is rewritten. */
	get layouts(): ReadonlyMap<string, Layout> {
		return this.#layouts
	}

	/** The whole graph, the very same where no channel can go. */
	rewrite(): Graph {
		const nodes = this.#graph.nodes.flatMap((node) => this.#node(node))
		const isChanged = this.#layouts.size > 0 || this.#renamed.size > 0
		return isChanged ? { ...this.#graph, nodes, initializers: this.#initializers } : this.#graph
	}

	#node(node: Node): Node[] {
		const role = this.#channels.roles.get(node)!
		switch (role.kind) {
			case 'weights':
				return this.#weights(node, role)
			case 'carry':
				return this.#carry(node, role)
			case 'join':
				return this.#join(node, role)
			case 'reshape':
				return this.#reshape(node, role)
			case 'transpose':
				this.#setLayout(node, this.#layoutOf(node.inputs[0]!))
				return [this.#renameInputs(node)]
			case 'barrier':
				return [this.#renameInputs(node)]
		}
	}

	#weights(node: Node, role: WeightsRole): Node[] {
		const [x = '', kernel = ''] = node.inputs
		const group = this.#needs.grouped.get(node)
		const outs = group?.outs ?? flagged(this.#needs.values.get(node.outputs[0]!)!)
		const ins = group?.ins ?? this.#layouts.get(x) ?? all(role.inputs)
		const picked = this.#pick(x, 1, ins, role.inputs, group !== undefined)
		if (outs.length === role.outputs && ins.length === role.inputs) return [this.#renameInputs(node)]
		this.#setLayout(node, outs)
		const sliced = this.#replace(kernel, sliceKernel(this.#constant(kernel), role, { outs, ins }))
		return [...picked.nodes, ...this.#withBias(node, role, { outs, ins }, [picked.name, sliced])]
	}

	/** The layer with its bias for the channels left, to which is added what the constant inputs left out used to add. */
	#withBias(node: Node, role: WeightsRole, kept: KeptChannels, inputs: readonly string[]): Node[] {
		const [out = '', bias] = [node.outputs[0], node.inputs[2]]
		const folded = this.#foldedInto(node, role, kept)
		const given = bias ? floatsOf(this.#constant(bias)) : undefined
		const values = Float32Array.from(kept.outs, (output) => (given?.[output] ?? 0) + folded[output]!)
		const plain = { ...node, inputs: [...inputs], attributes: attributesFor(node, role, kept) }
		if (!bias && folded.every((value) => value === 0)) return [plain]
		if (node.op !== 'MatMul') {
			const name = this.#bias(node, values)
			return [{ ...plain, inputs: [...inputs, name] }]
		}
		const product = this.#fresh(`${out}/product`)
		const name = this.#bias(node, values)
		return [
			{ ...plain, outputs: [product] },
			{ ...makeNode('Add', [product, name], [out]), name },
		]
	}

	#bias({ inputs: [, , bias], outputs: [out] }: Node, values: Float32Array): string {
		if (!bias) return this.#add(`${out}/bias`, floatTensor([values.length], values))
		const dims = [...this.#constant(bias).dims.slice(0, -1), values.length]
		return this.#replace(bias, floatTensor(dims, values))
	}

	#foldedInto(node: Node, role: WeightsRole, { ins }: KeptChannels): Float64Array {
		const known = this.#known.get(node.inputs[0]!)
		const isKept = flags(role.inputs, ins)
		const folded = new Float64Array(role.outputs)
		if (!known?.some((value, input) => !isKept[input] && value !== 0)) return folded
		forEachWeight(this.#constant(node.inputs[1]!), role, (output, input, weight) => {
			const value = known[input]!
			// A weight of zero may meet a channel that is not constant.
			if (!isKept[input] && weight !== 0 && !Number.isNaN(value)) folded[output]! += value * weight
		})
		return folded
	}

	#carry(node: Node, role: CarryRole): Node[] {
		const out = node.outputs[0]!
		const { length } = this.#channels.spans.get(out)!
		const layouts = role.operands.map(({ index, axis }) => this.#layoutAlong(node.inputs[index]!, axis, length))
		const needed = flagged(this.#needs.values.get(out)!)
		const [first = needed, ...others] = layouts
		const isOneLayout = others.every((layout) => isSame(layout, first))
		const kept = isOneLayout && !this.#isMask(node, role, first, needed) ? first : needed
		const nodes: Node[] = []
		const inputs = node.inputs.map((name) => this.#rename(name))
		for (const { index, axis } of role.operands) {
			const picked = this.#pick(node.inputs[index]!, axis, kept, length)
			nodes.push(...picked.nodes)
			inputs[index] = picked.name
		}
		this.#setLayout(node, kept)
		if (this.#isOne(node, role, kept)) {
			this.#renamed.set(out, inputs[role.operands[0]!.index]!)
			return nodes
		}
		if (kept.length < length) {
			for (const { index, axis } of role.constants) {
				const name = node.inputs[index]!
				inputs[index] = this.#replace(name, keepSlices(this.#constant(name), axis, kept))
			}
		}
		return [...nodes, { ...node, inputs }]
	}

	/** Does the node do nothing but silence channels that are not needed behind it? Then picking the others does as well. */
	#isMask(node: Node, role: CarryRole, given: Layout, needed: Layout): boolean {
		const factors = this.#factors(node, role)
		const isNeeded = new Set(needed)
		return factors !== null && given.every((channel) => isNeeded.has(channel) || factors[channel] === 0)
	}

	/** Does it multiply all that is left by one? */
	#isOne(node: Node, role: CarryRole, kept: Layout): boolean {
		const factors = this.#factors(node, role)
		const isOutput = this.#graph.outputs.some(({ name }) => name === node.outputs[0])
		return factors !== null && !isOutput && kept.every((channel) => factors[channel] === 1)
	}

	/** The numbers by which a Mul multiplies each channel. */
	#factors(node: Node, { operands, constants, shared }: CarryRole): Float32Array | null {
		const [place, second] = constants
		if (node.op !== 'Mul' || operands.length !== 1 || shared.length > 0 || !place || second) return null
		const tensor = this.#constant(node.inputs[place.index]!)
		const isPerChannel = tensor.dtype === 'float32' && tensor.bytes.length === 4 * tensor.dims[place.axis]!
		return isPerChannel ? floatsOf(tensor) : null
	}

	#join(node: Node, { lengths }: JoinRole): Node[] {
		const kept: number[] = []
		let offset = 0
		for (const [i, name] of node.inputs.entries()) {
			const layout = this.#layouts.get(name) ?? all(lengths[i]!)
			for (const channel of layout) kept.push(offset + channel)
			offset += lengths[i]!
		}
		this.#setLayout(node, kept)
		return [this.#renameInputs(node)]
	}

	#reshape(node: Node, role: ReshapeRole): Node[] {
		const { axis, length } = this.#channels.spans.get(node.outputs[0]!)!
		const isKept = flags(role.channels, this.#layoutOf(node.inputs[0]!))
		const kept = all(length).filter((i) => isKept[channelAt(role, i)])
		this.#setLayout(node, kept)
		const renamed = this.#renameInputs(node)
		if (node.op !== 'Reshape' || kept.length === length) return [renamed]
		const shape = intTensor(role.target.map((dim, i) => (i === axis ? kept.length : dim)))
		return [{ ...renamed, inputs: [renamed.inputs[0]!, this.#replace(node.inputs[1]!, shape)] }]
	}

	/** The value with just these channels: itself, or what a Gather picks from it. */
	#pick(name: string, axis: number, wanted: Layout, length: number, isExact = true): { name: string; nodes: Node[] } {
		const renamed = this.#rename(name)
		const layout = this.#layoutAlong(name, axis, length)
		if (!isExact || isSame(layout, wanted)) return { name: renamed, nodes: [] }
		const key = `${renamed} ${axis} ${wanted}`
		const known = this.#picked.get(key)
		if (known !== undefined) return { name: known, nodes: [] }
		const place = new Map(layout.map((channel, i) => [channel, i]))
		const indices = this.#add(`${name}/kept`, intTensor(wanted.map((channel) => place.get(channel)!)))
		const picked = this.#fresh(`${name}/picked`)
		this.#picked.set(key, picked)
		return { name: picked, nodes: [makeNode('Gather', [renamed, indices], [picked], { axis })] }
	}

	#layoutOf(name: string): Layout {
		return this.#layouts.get(name) ?? all(this.#channels.spans.get(name)!.length)
	}

	#layoutAlong(name: string, axis: number, length: number): Layout {
		const isAlong = this.#channels.spans.get(name)?.axis === axis
		return (isAlong ? this.#layouts.get(name) : undefined) ?? all(length)
	}

	#setLayout({ outputs: [out = ''] }: Node, kept: Layout): void {
		if (kept.length < this.#channels.spans.get(out)!.length) this.#layouts.set(out, kept)
	}

	#constant(name: string): Tensor {
		return constantOf(this.#graph, name, this.#writers)!
	}

	/** Puts `tensor` in the place of a constant for one of its readers: under its own name where there is no other. */
	#replace(name: string, tensor: Tensor): string {
		const isOwn = this.#graph.initializers.has(name) && this.#readers.get(name)?.length === 1
		if (!isOwn) return this.#add(name, tensor)
		this.#initializers.set(name, tensor)
		return name
	}

	#add(wish: string, tensor: Tensor): string {
		const name = this.#fresh(wish)
		this.#initializers.set(name, tensor)
		return name
	}

	#fresh(wish: string): string {
		const name = freshName(this.#taken, wish)
		this.#taken.add(name)
		return name
	}

	#rename(name: string): string {
		return this.#renamed.get(name) ?? name
	}

	#renameInputs(node: Node): Node {
		const isAffected = node.inputs.some((name) => this.#renamed.has(name))
		return isAffected ? { ...node, inputs: node.inputs.map((name) => this.#rename(name)) } : node
	}
}

function all(length: number): Layout {
	return [...Array(length).keys()]
}

function isSame(a: Layout, b: Layout): boolean {
	return a.length === b.length && a.every((channel, i) => channel === b[i])
}

function attributesFor({ attributes }: Node, role: WeightsRole, { outs }: KeptChannels): Node['attributes'] {
	if (role.groups === 1) return attributes
	return { ...attributes, group: { type: 'int', value: BigInt(groupsOf(role, outs).length) } }
}
