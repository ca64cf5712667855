import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { restateForGradient } from '../../../src/graph/gradient/restate.ts'
import {
	type Attribute,
	type AttributeValue,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Tensor,
} from '../../../src/graph/graph.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import {
	checkGradient,
	expectAllclose,
	type Feeds,
	graphOf,
	operatorGraph,
	scattered,
	wave,
} from '../../helpers/gradients.ts'

const runtime = await nodeRuntime({ threads: 1 })

async function run(graph: Graph, feeds: Feeds): Promise<Feeds> {
	const session = await runtime.load(graph)
	try {
		return await session.run(feeds)
	} finally {
		await session.close()
	}
}

/** ONNX Runtime knows the old spelling itself: both graphs must answer alike. */
async function expectSame(graph: Graph, feeds: Feeds): Promise<Graph> {
	const restated = restateForGradient(graph)
	expect(restated.opsets.get('')).toBe(17)
	const [old, found] = [await run(graph, feeds), await run(restated, feeds)]
	for (const { name } of graph.outputs) {
		expect(found[name]!.dims).toEqual(old[name]!.dims)
		expectAllclose(found[name]!.data, Array.from(old[name]!.data, Number), { rtol: 1e-6, atol: 1e-7, what: name })
	}
	return restated
}

interface Spelling {
	readonly op: string
	readonly opset: number
	readonly x?: readonly number[]
	readonly attributes?: Readonly<Record<string, AttributeValue>>
	readonly constants?: Readonly<Record<string, Tensor>>
	readonly outputs?: readonly string[]
}

const float = (value: number) => ({ float: value })
const ones = (count: number) =>
	floatTensor(
		[count],
		Array.from({ length: count }, (_, i) => 1 + i / 4),
	)
const STATISTICS = { scale: ones(3), bias: ones(3), mean: ones(3), variance: ones(3) }

const SPELLINGS: Record<string, Spelling> = {
	'Squeeze, axes as attribute': { op: 'Squeeze', opset: 11, x: [2, 1, 3, 1], attributes: { axes: [1, -1] } },
	'Squeeze of every axis of length 1': { op: 'Squeeze', opset: 7, x: [2, 1, 3, 1] },
	'Unsqueeze, axes as attribute': { op: 'Unsqueeze', opset: 9, attributes: { axes: [0, 3] } },
	'ReduceSum, axes as attribute': { op: 'ReduceSum', opset: 11, attributes: { axes: [-1, 0], keepdims: 0 } },
	'ReduceSum of everything': { op: 'ReduceSum', opset: 8 },
	'Split, lengths as attribute': {
		op: 'Split',
		opset: 11,
		attributes: { split: [1, 3], axis: 2 },
		outputs: ['y', 'z'],
	},
	'Split in equal parts': { op: 'Split', opset: 7, attributes: { axis: 2 }, outputs: ['y', 'z'] },
	'Slice, bounds as attributes': {
		op: 'Slice',
		opset: 9,
		attributes: { starts: [1, -2], ends: [2, 100], axes: [0, 2] },
	},
	'Slice from the first axis on': { op: 'Slice', opset: 7, attributes: { starts: [1, 0], ends: [2, -1] } },
	'Clip, bounds as attributes': { op: 'Clip', opset: 10, attributes: { min: float(-0.3), max: float(0.6) } },
	'Clip from above': { op: 'Clip', opset: 7, attributes: { max: float(0.1) } },
	'Pad, lengths as attribute': {
		op: 'Pad',
		opset: 10,
		attributes: { pads: [0, 1, 0, 0, 1, 2], value: float(3) },
	},
	'Pad by reflection': { op: 'Pad', opset: 7, attributes: { pads: [0, 1, 2, 0, 0, 1], mode: 'reflect' } },
	'TopK, k as attribute': { op: 'TopK', opset: 9, attributes: { k: 2 }, outputs: ['y', 'i'] },
	'Dropout, ratio as attribute': { op: 'Dropout', opset: 10, attributes: { ratio: float(0.3) } },
	'Dropout of opset 7': { op: 'Dropout', opset: 7 },
	'Scatter under its new name': {
		op: 'Scatter',
		opset: 9,
		attributes: { axis: 1 },
		constants: { indices: { ...intTensor([2, 0]), dims: [1, 2, 1] }, updates: floatTensor([1, 2, 1], [7, 8]) },
	},
	'Upsample, scales as attribute': {
		op: 'Upsample',
		opset: 7,
		x: [1, 2, 3, 4],
		attributes: { scales: 'floats', mode: 'nearest' },
	},
	'Upsample, linear': {
		op: 'Upsample',
		opset: 9,
		x: [1, 2, 3, 4],
		attributes: { mode: 'linear' },
		constants: { scales: floatTensor([4], [1, 1, 2, 3]) },
	},
	'Resize of opset 10, growing': {
		op: 'Resize',
		opset: 10,
		x: [1, 2, 3, 4],
		constants: { scales: floatTensor([4], [1, 1, 1.7, 2.3]) },
	},
	'Resize of opset 10, shrinking': {
		op: 'Resize',
		opset: 10,
		x: [1, 2, 7, 9],
		constants: { scales: floatTensor([4], [1, 1, 0.6, 0.4]) },
	},
	'Resize of opset 10, linear': {
		op: 'Resize',
		opset: 10,
		x: [1, 2, 3, 4],
		attributes: { mode: 'linear' },
		constants: { scales: floatTensor([4], [1, 1, 2, 1.5]) },
	},
	'Resize of opset 11': {
		op: 'Resize',
		opset: 11,
		x: [1, 2, 3, 4],
		constants: { roi: floatTensor([0], []), scales: floatTensor([4], [1, 1, 2, 2]) },
	},
	'BatchNormalization of opset 7': {
		op: 'BatchNormalization',
		opset: 7,
		attributes: { spatial: 1 },
		constants: STATISTICS,
	},
	'BatchNormalization of opset 9': { op: 'BatchNormalization', opset: 9, constants: STATISTICS },
	'RoiAlign of opset 10': {
		op: 'RoiAlign',
		opset: 10,
		x: [1, 2, 6, 6],
		attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
		constants: { rois: floatTensor([1, 4], [0.5, 1, 4, 5]), batch: intTensor([0]) },
	},
	'Relu, which never changed': { op: 'Relu', opset: 7 },
}

/** `makeNode` has no short form for lists of floats. */
const FLOATS: Attribute = { type: 'floats', value: [1, 1, 2, 2] }

function oldGraph({ op, opset, x = [2, 3, 4], attributes, constants = {}, outputs = ['y'] }: Spelling): [Graph, Feeds] {
	const feeds = { x: scattered(x) }
	const graph = operatorGraph(op, ['x', ...Object.keys(constants)], feeds, attributes, { opset, constants, outputs })
	const nodes = graph.nodes.map((node) =>
		attributes?.scales ? { ...node, attributes: { ...node.attributes, scales: FLOATS } } : node,
	)
	return [{ ...graph, nodes }, feeds]
}

describe('restateForGradient', () => {
	for (const [name, spelling] of Object.entries(SPELLINGS)) {
		it(`${name}: the same answer in opset 17`, async () => {
			await expectSame(...oldGraph(spelling))
		})
	}

	it('keeps INT64_MAX, "to the end"', async () => {
		const [graph, feeds] = oldGraph({ op: 'Slice', opset: 9, attributes: { starts: [1], ends: [2] } })
		const ends: Attribute = { type: 'ints', value: [2n ** 63n - 1n] }
		const nodes = graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes, ends } }))
		await expectSame({ ...graph, nodes }, feeds)
	})

	it('softmaxes over all trailing axes answer alike, for any rank, axis and knowledge of shapes', async () => {
		const example = fc
			.tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), fc.nat(3), fc.boolean())
			.filter(([dims, axis]) => axis < dims.length)
		const op = fc.constantFrom('Softmax', 'LogSoftmax', 'Hardmax')
		await fc.assert(
			fc.asyncProperty(op, example, fc.constantFrom(7, 11, 12), async (op, [dims, axis, isKnown], opset) => {
				const [graph, feeds] = oldGraph({ op, opset, x: dims, attributes: { axis } })
				const inputs = graph.inputs.map((input) => ({ ...input, shape: isKnown ? dims : dims.map(() => null) }))
				await expectSame({ ...graph, inputs }, feeds)
			}),
			{ numRuns: 40 },
		)
	})

	it('the gradient of a softmax over trailing axes agrees with central differences', async () => {
		for (const op of ['Softmax', 'LogSoftmax']) {
			const feeds = { x: wave([2, 3, 4]) }
			await checkGradient(operatorGraph(op, ['x'], feeds, { axis: 1 }, { opset: 11 }), feeds, ['x'])
		}
	})

	it('gradients of old spellings agree with central differences', async () => {
		const SMOOTH = ['Squeeze', 'Unsqueeze', 'ReduceSum', 'Split', 'Slice', 'Pad', 'BatchNormalization']
		for (const spelling of Object.values(SPELLINGS).filter(({ op }) => SMOOTH.includes(op))) {
			const [graph, feeds] = oldGraph(spelling)
			await checkGradient(graph, feeds, ['x'])
		}
	})

	it('restates training of BatchNormalization, told by five outputs, by its attribute', () => {
		const outputs = ['y', 'mean out', 'var out', 'saved mean', 'saved var']
		const [graph] = oldGraph({ op: 'BatchNormalization', opset: 9, constants: STATISTICS, outputs })
		const plain = { ...graph, outputs: graph.outputs.slice(0, 3) }
		const [node] = restateForGradient(plain).nodes
		expect(node).toMatchObject({ outputs: outputs.slice(0, 3), attributes: { training_mode: { value: 1n } } })
		expect(() => restateForGradient(graph)).toThrow(/hands on saved statistics/)
	})

	it('lifts opset 6 too', () => {
		const [graph] = oldGraph({ op: 'BatchNormalization', opset: 6, attributes: { is_test: 1 }, constants: STATISTICS })
		expect(restateForGradient(graph).opsets.get('')).toBe(17)
	})

	it('leaves graphs of opset 17 and newer as they are, the very same object', () => {
		for (const opset of [17, 18, 21]) {
			const [graph] = oldGraph({ op: 'Softmax', opset })
			expect(restateForGradient(graph)).toBe(graph)
		}
	})

	it('leaves other domains alone', () => {
		const feeds = { x: wave([2]) }
		const node = { ...makeNode('Clip', ['x'], ['y'], { min: float(0) }), domain: 'com.example' }
		expect(restateForGradient(graphOf([node], feeds, ['y'], { opset: 9 })).nodes).toEqual([node])
	})

	const refused: Record<string, [Spelling, RegExp]> = {
		'statistics for each pixel': [
			{ op: 'BatchNormalization', opset: 7, attributes: { spatial: 0 }, constants: STATISTICS },
			/y \(BatchNormalization\) of opset 7 has statistics for each pixel .* export the model with opset 17 or newer/,
		],
		'a Resize that grows one axis and shrinks another': [
			{ op: 'Resize', opset: 10, x: [1, 1, 4, 4], constants: { scales: floatTensor([4], [1, 1, 2, 0.5]) } },
			/grows one axis and shrinks another/,
		],
		'a mask of numbers that is read': [
			{ op: 'Dropout', opset: 9, outputs: ['y', 'mask'] },
			/hands on a mask of numbers/,
		],
		'a coordinate mode that is gone': [
			{ op: 'Resize', opset: 11, attributes: { coordinate_transformation_mode: 'tf_half_pixel_for_nn' } },
			/uses tf_half_pixel_for_nn/,
		],
	}
	for (const [name, [spelling, message]] of Object.entries(refused)) {
		it(`refuses ${name}, naming the node`, () => {
			const [graph] = oldGraph(spelling)
			expect(() => restateForGradient(graph)).toThrow(
				expect.objectContaining({ code: 'opset-too-old', message: expect.stringMatching(message) }),
			)
		})
	}

	it('refuses scales that are computed, and graphs within nodes', () => {
		const feeds = { x: wave([1, 1, 2, 2]), scales: wave([4]) }
		expect(() => restateForGradient(operatorGraph('Resize', ['x', 'scales'], feeds, {}, { opset: 10 }))).toThrow(
			/computes its scales/,
		)
		const [graph] = oldGraph({ op: 'If', opset: 11 })
		const branch: Attribute = { type: 'opaque', value: new Uint8Array() }
		const nodes = graph.nodes.map((node) => ({ ...node, attributes: { then_branch: branch } }))
		expect(() => restateForGradient({ ...graph, nodes })).toThrow(/y \(If\) of opset 11 holds a graph/)
	})
})
