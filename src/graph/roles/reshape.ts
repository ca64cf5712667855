/** Layers that only restate a shape: Flatten, Reshape, Squeeze, Unsqueeze. */
import type { Node } from '../graph.ts'
import type { NodeChannels, RoleContext } from './roles.ts'

const RESHAPES = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'])

/**
 * Where the channels are after a reshape that leaves the images apart: on an axis of their own, or on one that also counts the
 * positions before (`outer`) and behind (`inner`) them, as after a Flatten.
 */
export function reshapeRole(node: Node, { spans, dims }: RoleContext): NodeChannels | null {
	const span = spans.get(node.inputs[0] ?? '')
	const [from, to] = [dims(node.inputs[0] ?? ''), dims(node.outputs[0]!)]
	if (!RESHAPES.has(node.op) || !span || !from || !to || from[0] !== to[0] || span.axis === 0) return null
	const [source, target] = [from.slice(1), to.slice(1)]
	if (![...source, ...target].every((dim) => typeof dim === 'number')) return null
	const block = blockWith(source as number[], target as number[], span.axis - 1)
	if (!block) return null
	const shape = [0, ...(target as number[])]
	return {
		axis: block.axis + 1,
		role: { kind: 'reshape', channels: span.length, inner: block.inner, target: shape },
	}
}

/** The axis of `target` that is made of a run of source axes with the channels among them. */
function blockWith(
	source: readonly number[],
	target: readonly number[],
	channelAxis: number,
): { readonly axis: number; readonly inner: number } | null {
	const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)
	for (const [axis, length] of target.entries()) {
		const before = product(target.slice(0, axis))
		for (let start = 0; start <= channelAxis; start++) {
			if (product(source.slice(0, start)) !== before) continue
			for (let end = channelAxis + 1; end <= source.length; end++) {
				if (product(source.slice(start, end)) !== length) continue
				return { axis, inner: product(source.slice(channelAxis + 1, end)) }
			}
		}
	}
	return null
}
