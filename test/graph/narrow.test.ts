/** A head without its zero channels answers as the whole head does on inputs where those channels are zero. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Node,
	type Tensor,
	type Value,
} from '../../src/graph/graph.ts'
import { narrowInput } from '../../src/graph/narrow.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { randomValues } from '../helpers/networks.ts'

const runtime = await nodeRuntime({ threads: 1 })
const CHANNELS = 6
const SIZE = 4

const float = (name: string, ...shape: (number | string)[]): Value => ({ name, dtype: 'float32', shape })

/** What may read the channels: each ends in `[N, 3]`. `x` is `[N, 6, 4, 4]`. */
const READERS: Record<
	string,
	(random: () => number) => { nodes: Node[]; constants: [string, Tensor][]; values: Value[] }
> = {
	'a convolution behind an activation': (random) => ({
		nodes: [
			makeNode('Relu', ['x'], ['r']),
			makeNode('Conv', ['r', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] }),
			makeNode('GlobalAveragePool', ['c'], ['g']),
			makeNode('Flatten', ['g'], ['y']),
		],
		constants: [tensor('w', random, 3, CHANNELS, 3, 3), tensor('b', random, 3)],
		values: [float('r', 'N', CHANNELS, SIZE, SIZE), float('c', 'N', 3, SIZE, SIZE), float('g', 'N', 3, 1, 1)],
	}),
	'a dense layer on the flattened map, weights transposed': (random) => ({
		nodes: [makeNode('Flatten', ['x'], ['f']), makeNode('Gemm', ['f', 'w'], ['y'], { transB: 1 })],
		constants: [tensor('w', random, 3, CHANNELS * SIZE * SIZE)],
		values: [float('f', 'N', CHANNELS * SIZE * SIZE)],
	}),
	'a dense layer on the map flattened channels last, by a Reshape': (random) => ({
		nodes: [
			makeNode('Transpose', ['x'], ['t'], { perm: [0, 2, 3, 1] }),
			makeNode('Reshape', ['t', 'shape'], ['f']),
			makeNode('MatMul', ['f', 'w'], ['y']),
		],
		constants: [tensor('w', random, CHANNELS * SIZE * SIZE, 3), ['shape', intTensor([-1, CHANNELS * SIZE * SIZE])]],
		values: [float('t', 'N', SIZE, SIZE, CHANNELS), float('f', 'N', CHANNELS * SIZE * SIZE)],
	}),
}

function tensor(name: string, random: () => number, ...dims: number[]): [string, Tensor] {
	const count = dims.reduce((a, b) => a * b, 1)
	return [name, floatTensor(dims, Float32Array.from({ length: count }, random))]
}

function head(reader: keyof typeof READERS, seed: number): { graph: Graph; typeOf: (name: string) => Value } {
	const { nodes, constants, values } = READERS[reader]!(randomValues(seed))
	const x = float('x', 'N', CHANNELS, SIZE, SIZE)
	const y = float('y', 'N', 3)
	const graph: Graph = {
		...{
			name: 'head',
			nodes,
			inputs: [x],
			outputs: [y],
			initializers: new Map(constants),
			valueInfo: [],
			irVersion: 8,
		},
		...{ opsets: new Map([['', 13]]), metadata: new Map(), producerName: '', producerVersion: '' },
	}
	const known = new Map([x, y, ...values].map((value) => [value.name, value]))
	return { graph, typeOf: (name) => known.get(name)! }
}

describe('narrowInput', () => {
	for (const reader of Object.keys(READERS)) {
		it(`gives the same answers through ${reader}`, () =>
			fc.assert(
				fc.asyncProperty(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), fc.nat(), async (kept, seed) => {
					const { graph, typeOf } = head(reader, seed)
					const narrow = narrowInput(graph, 'x', 1, kept, typeOf)!
					const random = randomValues(seed + 1)
					const area = SIZE * SIZE
					const whole = new Float32Array(2 * CHANNELS * area)
					const part = new Float32Array(2 * kept.length * area)
					for (const [to, image] of [0, 1].entries()) {
						for (const [i, channel] of kept.entries()) {
							const values = Float32Array.from({ length: area }, random)
							whole.set(values, (image * CHANNELS + channel) * area)
							part.set(values, (to * kept.length + i) * area)
						}
					}
					const expected = await run(graph, [2, CHANNELS, SIZE, SIZE], whole)
					const found = await run(narrow, [2, kept.length, SIZE, SIZE], part)
					for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4)
				}),
				{ numRuns: 15 },
			))
	}

	it('leaves alone what it cannot narrow: a sum with something else, a shift, a reader that keeps the channels to the end', () => {
		const { graph, typeOf } = head('a convolution behind an activation', 1)
		const withFirst = (node: Node, value: Value): [Graph, (name: string) => Value] => [
			{ ...graph, nodes: [node, ...graph.nodes.map((each) => ({ ...each, inputs: each.inputs.map(renameX) }))] },
			(name) => (name === value.name ? value : typeOf(name)),
		]
		const renameX = (name: string) => (name === 'x' ? 'z' : name)
		const z = float('z', 'N', CHANNELS, SIZE, SIZE)
		expect(narrowInput(...spread(withFirst(makeNode('Sigmoid', ['x'], ['z']), z)))).toBeNull()
		expect(narrowInput(...spread(withFirst(makeNode('Add', ['x', 'x'], ['z']), z)))).toBeNull()
		expect(narrowInput({ ...graph, outputs: [float('r', 'N', CHANNELS, SIZE, SIZE)] }, 'x', 1, [1], typeOf)).toBeNull()
	})
})

function spread([graph, typeOf]: [Graph, (name: string) => Value]): Parameters<typeof narrowInput> {
	return [graph, 'x', 1, [0, 2], typeOf]
}

async function run(graph: Graph, dims: number[], data: Float32Array): Promise<Float32Array> {
	const session = await runtime.load(graph)
	const results = await session.run({ x: { dims, data } })
	await session.close()
	return results.y!.data as Float32Array
}
