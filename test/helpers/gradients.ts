/** Gradients beside two oracles outside our code: central differences of the graph itself, and values stored from PyTorch. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { gradient } from '../../src/graph/gradient/gradient.ts'
import {
	type AttributeValue,
	type DType,
	elementCount,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Tensor,
} from '../../src/graph/graph.ts'
import { inferShapes } from '../../src/model/shapes.ts'
import { createRandom } from '../../src/random.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import type { Feed, Runtime } from '../../src/runtime/runtime.ts'

export type Feeds = Readonly<Record<string, Feed>>

/** One native runtime for a whole test file. */
const native = await nodeRuntime({ threads: 1 })

/** `offset + scale · sin(1.3 i + phase)` for element `i`: inputs that the Python scripts compute in the same way. */
export function wave(dims: readonly number[], phase = 0, scale = 1, offset = 0): Feed {
	const values = Array.from({ length: elementCount(dims) }, (_, i) => offset + scale * Math.sin(1.3 * i + phase))
	return { dims, data: Float32Array.from(values) }
}

/** `feed` with every value at least `distance` from each of `kinks`, so that a small step does not cross one. */
export function awayFrom(feed: Feed, kinks: readonly number[], distance = 0.05): Feed {
	const push = (value: number, kink: number) =>
		Math.abs(value - kink) >= distance ? value : kink + (value < kink ? -distance : distance)
	return { ...feed, data: Float32Array.from(feed.data as Float32Array, (value) => kinks.reduce(push, value)) }
}

/** Distinct values in −1..1, 2/n apart, in mixed order: for maxima, which have no gradient where two are equal. n < 7919, a prime. */
export function scattered(dims: readonly number[]): Feed {
	const count = elementCount(dims)
	const data = Float32Array.from({ length: count }, (_, i) => (2 * ((i * 7919) % count) + 1) / count - 1)
	return { dims, data }
}

export interface OperatorGraph {
	readonly opset?: number
	/** Operands that are constants of the graph. */
	readonly constants?: Readonly<Record<string, Tensor>>
	/** Names of the outputs; `['y']` unless told. */
	readonly outputs?: readonly string[]
}

/** A graph of one node `op` whose operands are named as `feeds` and `constants` are, in the order of `inputs`. */
export function operatorGraph(
	op: string,
	inputs: readonly string[],
	feeds: Feeds,
	attributes: Readonly<Record<string, AttributeValue>> = {},
	{ opset = 17, constants = {}, outputs = ['y'] }: OperatorGraph = {},
): Graph {
	return graphOf([makeNode(op, inputs, outputs, attributes)], feeds, outputs, { opset, constants })
}

/** A graph of `nodes` with one input for each feed. */
export function graphOf(
	nodes: Graph['nodes'],
	feeds: Feeds,
	outputs: readonly string[],
	{ opset = 17, constants = {} }: Pick<OperatorGraph, 'opset' | 'constants'> = {},
): Graph {
	return {
		name: 'test',
		nodes,
		inputs: Object.entries(feeds).map(([name, feed]) => ({ name, dtype: dtypeOf(feed), shape: feed.dims })),
		outputs: outputs.map((name) => ({ name, dtype: 'undefined', shape: null })),
		initializers: new Map(Object.entries(constants)),
		valueInfo: [],
		irVersion: 8,
		opsets: new Map([['', opset]]),
		metadata: new Map(),
		producerName: '',
		producerVersion: '',
	}
}

function dtypeOf({ data, dtype }: Feed): DType {
	if (dtype) return dtype
	if (data instanceof Float32Array) return 'float32'
	if (data instanceof BigInt64Array) return 'int64'
	throw new TypeError('tell the dtype of feeds that are neither float32 nor int64')
}

/**
 * The gradients of `loss = Σ output ⊙ w`, over all float32 outputs of `graph`, with fixed weights `w[i] = cos(0.7 i + 0.3)`; `i` counts on
 * from one output to the next. The Python scripts form the same loss.
 */
export async function gradientsOf(
	graph: Graph,
	feeds: Feeds,
	wrt: readonly string[],
	runtime: Runtime = native,
): Promise<Readonly<Record<string, Feed>>> {
	const known = await inferShapes(withLoss(await inferShapes(graph, runtime, feeds)), runtime, feeds)
	const { graph: backward, of } = gradient(known, LOSS, wrt)
	const results = await runOnce(backward, feeds, runtime)
	return Object.fromEntries(wrt.map((name) => [name, results[of.get(name)!]!]))
}

const LOSS = 'test/loss'
const LOSS_VALUE = { name: LOSS, dtype: 'float32', shape: [1, 1] } as const

function withLoss(graph: Graph): Graph {
	const outputs = graph.outputs.filter(({ dtype }) => dtype === 'float32')
	const initializers = new Map(graph.initializers).set('test/row', intTensor([1, -1]))
	const nodes = [...graph.nodes]
	const terms: string[] = []
	let start = 0
	for (const { name, shape } of outputs) {
		const count = elementCount(shape as readonly number[]) // `inferShapes` told every dimension
		initializers.set(`test/w/${name}`, floatTensor([count, 1], lossWeights(count, start)))
		start += count
		nodes.push(makeNode('Reshape', [name, 'test/row'], [`test/row/${name}`]))
		nodes.push(makeNode('MatMul', [`test/row/${name}`, `test/w/${name}`], [`test/term/${name}`]))
		terms.push(`test/term/${name}`)
	}
	const loss = terms.length === 1 ? makeNode('Identity', terms, [LOSS]) : makeNode('Sum', terms, [LOSS])
	return { ...graph, nodes: [...nodes, loss], initializers, outputs: [...graph.outputs, LOSS_VALUE] }
}

function lossWeights(count: number, start: number): Float32Array {
	return Float32Array.from({ length: count }, (_, i) => Math.cos(0.7 * (start + i) + 0.3))
}

async function runOnce(graph: Graph, feeds: Feeds, runtime: Runtime): Promise<Record<string, Feed>> {
	const session = await runtime.load(graph)
	try {
		return await session.run(feeds)
	} finally {
		await session.close()
	}
}

export interface CheckOptions {
	/** Step of the differences; 1e-2 unless told: float32 leaves about 1e-5 of a loss of order 1, and the error of the formula is ε²/6. */
	readonly epsilon?: number
	/** 1e-2 unless told. */
	readonly rtol?: number
	/** 2e-3 unless told. */
	readonly atol?: number
	readonly runtime?: Runtime
}

/**
 * Expects the gradients of the loss above to agree with central differences `(f(x + εd) − f(x − εd)) / 2ε`, for each of `wrt` along two
 * random directions of ±1 and along three single elements. The loss of the differences is summed here, in float64. Names in `wrt` that
 * are constants of the graph are fed to the differences and stay constants for the gradient.
 */
export async function checkGradient(
	graph: Graph,
	feeds: Feeds,
	wrt: readonly string[],
	{ epsilon = 1e-2, rtol = 1e-2, atol = 2e-3, runtime = native }: CheckOptions = {},
): Promise<void> {
	const gradients = await gradientsOf(graph, feeds, wrt, runtime)
	const [open, openFeeds] = withConstantsFed(graph, feeds, wrt)
	const session = await runtime.load(open)
	const loss = async (name: string, direction: readonly number[], step: number) => {
		const feed = openFeeds[name]!
		const data = Float32Array.from(feed.data as Float32Array, (value, i) => value + step * direction[i]!)
		return lossOf(open, await session.run({ ...openFeeds, [name]: { ...feed, data } }))
	}
	try {
		for (const name of wrt) {
			const { dims, data } = gradients[name]!
			expect(dims, `shape of the gradient of ${name}`).toEqual(openFeeds[name]!.dims)
			for (const direction of directions(data.length)) {
				const expected =
					((await loss(name, direction, epsilon)) - (await loss(name, direction, -epsilon))) / (2 * epsilon)
				const found = direction.reduce((sum, each, i) => sum + each * Number(data[i]), 0)
				const allowed = atol + rtol * Math.max(Math.abs(expected), Math.abs(found))
				const what = `${graph.nodes.map(({ op }) => op).join(', ')}: gradient of ${name}: found ${found}, differences say ${expected}`
				expect(Math.abs(found - expected), what).toBeLessThanOrEqual(allowed)
			}
		}
	} finally {
		await session.close()
	}
}

function withConstantsFed(graph: Graph, feeds: Feeds, wrt: readonly string[]): [Graph, Feeds] {
	const constants = wrt.flatMap((name) => {
		const tensor = graph.initializers.get(name)
		return tensor ? [[name, tensor] as const] : []
	})
	const initializers = new Map([...graph.initializers].filter(([name]) => !wrt.includes(name)))
	const inputs = constants.map(([name, { dims }]) => ({ name, dtype: 'float32' as const, shape: dims }))
	const fed = constants.map(([name, { dims, bytes }]) => [name, { dims, data: new Float32Array(bytes.slice().buffer) }])
	return [
		{ ...graph, initializers, inputs: [...graph.inputs, ...inputs] },
		{ ...feeds, ...Object.fromEntries(fed) },
	]
}

function directions(count: number): number[][] {
	const random = createRandom(7, count, 0)
	const signs = [0, 1].map(() => Array.from({ length: count }, () => random.pick([-1, 1])))
	const singles = [0, 1, 2].map(() => {
		const at = random.below(count)
		return Array.from({ length: count }, (_, i) => (i === at ? 1 : 0))
	})
	return [...signs, ...singles]
}

function lossOf(graph: Graph, results: Feeds): number {
	let start = 0
	let sum = 0
	for (const { name } of graph.outputs) {
		const { data, dtype } = results[name]!
		if (dtype !== 'float32') continue
		const weights = lossWeights(data.length, start)
		for (const [i, weight] of weights.entries()) sum += weight * Number(data[i])
		start += data.length
	}
	return sum
}

/** Gradients as a Python script stored them: case → name of the input → values, row-major. */
export type StoredGradients = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>

/** @param url of the JSON file, from `new URL('torch-….json', import.meta.url)` */
export function readStored(url: URL): StoredGradients {
	return JSON.parse(readFileSync(url, 'utf8')) as StoredGradients
}

/** Expects `|found − expected| ≤ atol + rtol · |expected|` for every element. */
export function expectAllclose(
	found: ArrayLike<number | bigint>,
	expected: ArrayLike<number>,
	{ rtol = 1e-4, atol = 1e-5, what = '' }: { rtol?: number; atol?: number; what?: string } = {},
): void {
	expect(found.length, `${what}: number of elements`).toBe(expected.length)
	for (let i = 0; i < expected.length; i++) {
		const allowed = atol + rtol * Math.abs(expected[i]!)
		const difference = Math.abs(Number(found[i]) - expected[i]!)
		if (!(difference <= allowed)) {
			expect.fail(
				`${what}[${i}]: expected ${expected[i]}, found ${found[i]}, ${difference} apart; ${allowed} is allowed`,
			)
		}
	}
}
