/**
 * Which channels the answer needs. Going back from the outputs, a channel is needed where some weight other than zero carries it into
 * a channel that is needed and it is not a mere constant, which a bias could stand for.
 */
import type { Graph, Node } from '../graph.ts'
import { constantOf, requiredFor, writersOf } from '../query.ts'
import type { ChannelRoles, JoinRole, Role, WeightsRole } from '../roles/roles.ts'
import { type ConstantChannels, channelAt, isFoldable } from './constants.ts'
import { flagged, flags, forEachWeight, groupsOf, type KeptChannels } from './weights.ts'

export interface ChannelNeeds {
	/** Value name → one byte a channel, 1 where it is needed. At least one channel of every value is: no tensor may be empty. */
	readonly values: ReadonlyMap<string, Uint8Array>
	/** Convolutions in groups: what they keep exactly, so that all their groups stay equally large. */
	readonly grouped: ReadonlyMap<Node, KeptChannels>
}

export function channelNeeds(graph: Graph, channels: ChannelRoles, constants: ConstantChannels): ChannelNeeds {
	const outputs = graph.outputs.map(({ name }) => name)
	const values = new Map([...channels.spans].map(([name, { length }]) => [name, new Uint8Array(length)]))
	const context: Context = { ...channels, graph, writers: writersOf(graph), constants, values, grouped: new Map() }
	for (const name of outputs) needWhole(context, name)
	// `requiredFor` goes from the outputs backwards, and so do we.
	for (const node of requiredFor(graph, outputs)) {
		const role = channels.roles.get(node)!
		const outs = values.get(node.outputs[0]!)
		if (outs && !outs.includes(1)) outs[0] = 1
		if (outs) passOn(context, node, role, outs)
		else for (const name of node.inputs) needWhole(context, name)
	}
	return context
}

interface Context extends ChannelRoles, ChannelNeeds {
	readonly graph: Graph
	readonly writers: ReadonlyMap<string, Node>
	readonly constants: ConstantChannels
	readonly values: ReadonlyMap<string, Uint8Array>
	readonly grouped: Map<Node, KeptChannels>
}

function needWhole({ values }: Context, name: string): void {
	values.get(name)?.fill(1)
}

/** Marks what the node needs of its inputs to compute these channels of its output. */
function passOn(context: Context, node: Node, role: Role, outs: Uint8Array): void {
	const { values, grouped } = context
	const input = values.get(node.inputs[0]!)
	switch (role.kind) {
		case 'weights': {
			const kept = keptOutputs(role, outs)
			const ins = inputsFor(context, node, role, kept)
			if (role.groups > 1) grouped.set(node, { outs: kept, ins: evenInputs(role, kept, ins) })
			for (const channel of grouped.get(node)?.ins ?? flagged(ins)) if (input) input[channel] = 1
			return
		}
		case 'carry':
			for (const { index, axis } of role.operands) demandAlong(context, node.inputs[index]!, axis, outs)
			for (const index of role.shared) needWhole(context, node.inputs[index]!)
			return
		case 'join':
			for (const [i, part] of partsOf(role, outs).entries()) demand(values.get(node.inputs[i]!), part)
			return
		case 'reshape':
			for (const i of flagged(outs)) if (input) input[channelAt(role, i)] = 1
			return
		case 'transpose':
			demand(input, outs)
			return
		case 'barrier':
			for (const name of node.inputs) needWhole(context, name)
	}
}

function demand(input: Uint8Array | undefined, outs: Uint8Array): void {
	if (input) for (const channel of flagged(outs)) input[channel] = 1
}

function demandAlong(context: Context, name: string, axis: number, outs: Uint8Array): void {
	const span = context.spans.get(name)
	if (span?.axis === axis && span.length === outs.length) demand(context.values.get(name), outs)
	else needWhole(context, name)
}

/** The channels of each part of a concatenation. */
function partsOf({ lengths }: JoinRole, outs: Uint8Array): Uint8Array[] {
	let end = 0
	return lengths.map((length) => {
		end += length
		return outs.subarray(end - length, end)
	})
}

/** What is needed; of a layer in groups also as many more as makes those groups equal that are needed at all. */
function keptOutputs(role: WeightsRole, outs: Uint8Array): number[] {
	const needed = flagged(outs)
	return role.groups === 1 ? needed : evenOut(outs, groupsOf(role, needed), role.outputs / role.groups)
}

function evenInputs(role: WeightsRole, outs: readonly number[], ins: Uint8Array): number[] {
	return evenOut(ins, groupsOf(role, outs), role.inputs / role.groups)
}

/** The flagged channels of some groups, filled up with the first others of the same group. */
function evenOut(needed: Uint8Array, groups: readonly number[], size: number): number[] {
	const members = groups.map((group) => Array.from({ length: size }, (_, i) => group * size + i))
	const most = Math.max(1, ...members.map((all) => all.filter((each) => needed[each]).length))
	return members.flatMap((all) => {
		const sorted = all.toSorted((a, b) => needed[b]! - needed[a]! || a - b)
		return sorted.slice(0, most).sort((a, b) => a - b)
	})
}

/** Input channels that a weight other than zero carries into a kept output, and that no bias can stand for. */
function inputsFor(context: Context, node: Node, role: WeightsRole, outs: readonly number[]): Uint8Array {
	const kernel = constantOf(context.graph, node.inputs[1]!, context.writers)!
	const known = context.constants.get(node.inputs[0]!)
	const isKept = flags(role.outputs, outs)
	const needed = new Uint8Array(role.inputs)
	forEachWeight(kernel, role, (output, input, weight) => {
		if (weight !== 0 && isKept[output] && !isFoldable(role, known?.[input] ?? Number.NaN)) needed[input] = 1
	})
	return needed
}
