/** Gradients of random graphs: values that are used several times, in many shapes, behind one another. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { elementCount, intTensor, makeNode, type Node, type Tensor } from '../../../src/graph/graph.ts'
import { checkGradient, graphOf, wave } from '../../helpers/gradients.ts'

type Shape = readonly number[]

interface Draft {
	readonly nodes: Node[]
	readonly constants: Record<string, Tensor>
	/** Every value so far, with its shape. */
	readonly values: [string, Shape][]
}

/** Adds one operator on values that `pick` chooses; bounded ones, so that deep graphs stay of order 1. */
type Step = (draft: Draft, pick: (among: readonly [string, Shape][]) => [string, Shape], name: string) => void

const unary =
	(op: string, attributes = {}): Step =>
	(draft, pick, name) => {
		const [x, shape] = pick(draft.values)
		draft.nodes.push(makeNode(op, [x], [name], attributes))
		draft.values.push([name, shape])
	}

const binary =
	(op: string): Step =>
	(draft, pick, name) => {
		const [a, shape] = pick(draft.values)
		const [b, other] = pick(draft.values.filter(([, each]) => broadcast(shape, each)))
		draft.nodes.push(makeNode(op, [a, b], [`${name}/raw`]), makeNode('Tanh', [`${name}/raw`], [name]))
		draft.values.push([name, broadcast(shape, other)!])
	}

function broadcast(a: Shape, b: Shape): Shape | undefined {
	const rank = Math.max(a.length, b.length)
	const padded = (shape: Shape) => [...Array<number>(rank - shape.length).fill(1), ...shape]
	const right = padded(b)
	const pairs = padded(a).map((dim, i) => [dim, right[i]!] as const)
	const fits = pairs.every(([dim, other]) => dim === other || dim === 1 || other === 1)
	return fits ? pairs.map((pair) => Math.max(...pair)) : undefined
}

/** `a · b` where the lengths fit, else `a · aᵀ`. */
const matMul: Step = (draft, pick, name) => {
	const [a, shape] = pick(draft.values.filter(([, { length }]) => length === 2))
	const fitting = draft.values.filter(([, { length, 0: rows }]) => length === 2 && rows === shape[1])
	const [b, other] = fitting.length > 0 ? pick(fitting) : [`${name}/turned`, shape.toReversed()]
	if (fitting.length === 0) draft.nodes.push(makeNode('Transpose', [a], [b]))
	draft.nodes.push(makeNode('MatMul', [a, b], [`${name}/raw`]), makeNode('Tanh', [`${name}/raw`], [name]))
	draft.values.push([name, [shape[0]!, other[1]!]])
}

const transpose: Step = (draft, pick, name) => {
	const [x, shape] = pick(draft.values)
	draft.nodes.push(makeNode('Transpose', [x], [name]))
	draft.values.push([name, shape.toReversed()])
}

const flatten: Step = (draft, pick, name) => {
	const [x, shape] = pick(draft.values)
	draft.constants.flat = intTensor([1, -1])
	draft.nodes.push(makeNode('Reshape', [x, 'flat'], [name]))
	draft.values.push([name, [1, elementCount(shape)]])
}

const concat: Step = (draft, pick, name) => {
	const [a, shape] = pick(draft.values)
	const [b] = pick(draft.values.filter(([, each]) => each.join() === shape.join()))
	draft.nodes.push(makeNode('Concat', [a, b, a], [name], { axis: 0 }))
	draft.values.push([name, shape.with(0, 3 * shape[0]!)])
}

const slice: Step = (draft, pick, name) => {
	const [x, shape] = pick(draft.values)
	Object.assign(draft.constants, {
		last: intTensor([-1]),
		first: intTensor([-100]),
		axis: intTensor([0]),
		step: intTensor([-2]),
	})
	draft.nodes.push(makeNode('Slice', [x, 'last', 'first', 'axis', 'step'], [name]))
	draft.values.push([name, shape.with(0, Math.ceil(shape[0]! / 2))])
}

const reduce =
	(op: string): Step =>
	(draft, pick, name) => {
		const [x, shape] = pick(draft.values)
		draft.nodes.push(makeNode(op, [x], [name], { axes: [shape.length - 1], keepdims: 1 }))
		draft.values.push([name, shape.with(-1, 1)])
	}

const STEPS: readonly Step[] = [
	...['Sin', 'Cos', 'Tanh', 'Sigmoid', 'Softplus', 'Erf', 'Neg', 'Softmax', 'LogSoftmax', 'Identity'].map((op) =>
		unary(op),
	),
	...['Add', 'Sub', 'Mul', 'Mul', 'Mean'].map(binary),
	...[matMul, matMul, transpose, flatten, concat, slice, reduce('ReduceMean'), reduce('ReduceLogSumExp')],
]

const step = fc.tuple(fc.constantFrom(...STEPS), fc.array(fc.nat(), { minLength: 2, maxLength: 2 }))

describe('gradients of random graphs', () => {
	it('of 3 to 14 smooth operators agree with central differences', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
				const feeds = { x: wave([2, 3]), w: wave([3, 3], 1), b: wave([3], 2) }
				const values = Object.entries(feeds).map(([name, { dims }]): [string, Shape] => [name, dims])
				const draft: Draft = { nodes: [], constants: {}, values }
				for (const [i, [add, picks]] of steps.entries()) {
					const left = [...picks]
					// The newest values are likelier, so that graphs grow deep.
					add(draft, (among) => among.at(-1 - (left.pop()! % Math.min(among.length, 4)))!, `v${i}`)
				}
				const read = new Set(draft.nodes.flatMap(({ inputs }) => inputs))
				const outputs = draft.values.map(([name]) => name).filter((name) => name.startsWith('v') && !read.has(name))
				const graph = graphOf(draft.nodes, feeds, outputs, { constants: draft.constants })
				const wrt = Object.keys(feeds).filter((name) => read.has(name))
				await checkGradient(graph, feeds, wrt, { rtol: 0.03, atol: 5e-3 })
			}),
			{ numRuns: 60 },
		)
	})
})
