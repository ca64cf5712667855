/** Strangers' models: restated they answer as before, and their gradients agree with differences. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, it } from 'vitest'
import { GoodnetError } from '../../../src/errors.ts'
import { gradient } from '../../../src/graph/gradient/gradient.ts'
import { restateForGradient } from '../../../src/graph/gradient/restate.ts'
import { elementCount, floatsOf, type Graph, makeNode } from '../../../src/graph/graph.ts'
import { decodeOnnx } from '../../../src/graph/onnx.ts'
import { logitsOf } from '../../../src/graph/query.ts'
import { upgradeOpset } from '../../../src/graph/upgrade.ts'
import { inferShapes } from '../../../src/model/shapes.ts'
import { createRandom } from '../../../src/random.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import type { Feed, Session } from '../../../src/runtime/runtime.ts'
import { expectAllclose, type Feeds } from '../../helpers/gradients.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

const runtime = await nodeRuntime({ threads: 1 })

/** Files that are no models, hold operators that ONNX Runtime does not have, or compute 0.6 GB of weights (VGG-19). */
const NOT_RUN = new Set([
	'simple_model.onnx',
	'student_infected.onnx',
	'branched_model_ch_last.onnx',
	'light_vgg19.onnx',
])

const root = sharedPath('models/')

function modelFiles(): string[] {
	const files = readdirSync(root, { recursive: true }).map(String)
	return files.filter((file) => file.endsWith('.onnx') && !NOT_RUN.has(basename(file))).sort()
}

interface Subject {
	/** For one image. */
	readonly graph: Graph
	readonly feeds: Feeds
	readonly input: string
}

function subjectOf(file: string): Subject {
	const read = upgradeOpset(decodeOnnx(readFileSync(root + file)))
	const [input] = read.inputs as [Graph['inputs'][number]]
	// One file was exported for a batch of 789,444.
	const dims = (input.shape ?? []).map((dim, axis) =>
		typeof dim === 'number' && dim < 100_000 ? dim : axis === 0 ? 1 : 1,
	)
	const graph = { ...read, inputs: [{ ...input, shape: dims }], outputs: read.outputs.slice(0, 1) }
	return { graph, input: input.name, feeds: { [input.name]: imageOf(file, dims) } }
}

/** Random pixels in the range of the reference inputs, or 0 to 1: on real images flat regions lie on the bends of maxima. */
function imageOf(file: string, dims: readonly number[]): Feed {
	const path = `${root}${file}.ref.input.f32`
	const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
	const bytes = isThere ? new Uint8Array(readFileSync(path).subarray(0, elementCount(dims) * 4)) : undefined
	const [low, high] = bytes ? rangeOf(new Float32Array(bytes.buffer)) : [0, 1]
	const random = createRandom(1, 0, 0)
	return { dims, data: Float32Array.from({ length: elementCount(dims) }, () => random.between(low, high)) }
}

function rangeOf(values: Float32Array): [number, number] {
	return values.reduce<[number, number]>(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [0, 0])
}

async function withSession<T>(graph: Graph, use: (session: Session) => Promise<T>): Promise<T> {
	const session = await runtime.load(graph)
	try {
		return await use(session)
	} finally {
		await session.close()
	}
}

/** The graph cut at the logits, with their mean as a second output. */
function withMeanLogit({ graph }: Subject): { readonly graph: Graph; readonly logits: string } {
	const logits = logitsOf(graph, graph.outputs[0]!.name)
	const mean = makeNode('ReduceMean', [logits], ['mean logit'], { keepdims: 0 })
	const outputs = [logits, 'mean logit'].map((name) => ({ name, dtype: 'float32' as const, shape: null }))
	return { logits, graph: { ...graph, nodes: [...graph.nodes, mean], outputs } }
}

/** The first weight with several axes that is read by the graph as it stands. */
function weightOf({ graph }: Subject): string | undefined {
	const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs))
	return [...graph.initializers].find(
		([name, { dtype, dims }]) => dtype === 'float32' && dims.length > 1 && read.has(name),
	)?.[0]
}

function meanOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length
}

function norm(values: ArrayLike<number>): number {
	return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0))
}

/**
 * Expects one of the differences, over steps of several lengths, to be `found`: nets bend at every Relu and answer in float32, so that
 * long steps cross bends and short ones drown in rounding.
 */
async function expectSlope(
	what: string,
	slope: (step: number) => Promise<readonly [value: number, rounding: number]>,
	{ found, length, rtol, atol }: { found: number; length: number; rtol: number; atol: number },
): Promise<void> {
	const slopes: number[] = []
	for (const step of [1e-3, 3e-4, 1e-4, 3e-5, 1e-2]) {
		const [value, rounding] = await slope(step * length)
		slopes.push(value)
		if (Math.abs(value - found) <= atol + rtol * Math.abs(found) + rounding) return
	}
	expect.fail(`${what}: found ${found}, differences say ${slopes.join(', ')}`)
}

async function expectGradients(subject: Subject): Promise<void> {
	const { graph, logits } = withMeanLogit(subject)
	const weight = weightOf(subject)
	const wrt = [subject.input, ...(weight ? [weight] : [])]
	const known = await inferShapes(graph, runtime, subject.feeds)
	const { graph: backward, of } = gradient(known, 'mean logit', wrt)
	const results = await withSession(backward, (session) => session.run(subject.feeds))
	const tensor = weight ? graph.initializers.get(weight) : undefined
	const opened: Graph = {
		...graph,
		inputs: [...graph.inputs, ...(tensor ? [{ name: weight!, dtype: 'float32' as const, shape: tensor.dims }] : [])],
		initializers: new Map([...graph.initializers].filter(([name]) => name !== weight)),
	}
	const feeds = { ...subject.feeds, ...(tensor && { [weight!]: { dims: tensor.dims, data: floatsOf(tensor) } }) }
	await withSession(opened, async (session) => {
		for (const name of wrt) {
			const { dims, data } = feeds[name]!
			const found = results[of.get(name)!]!
			expect(found.dims).toEqual(dims)
			const values = Array.from(found.data, Number)
			const random = createRandom(3, 0, values.length)
			const directions = { steepest: values, random: values.map(() => random.pick([-1, 1])) }
			for (const [kind, direction] of Object.entries(directions)) {
				const size = norm(direction) || 1
				const unit = direction.map((each) => each / size)
				const slope = async (step: number) => {
					const at = async (sign: number) => {
						const moved = Float32Array.from(data as Float32Array, (value, i) => value + sign * step * unit[i]!)
						const { [logits]: answer } = await session.run({ ...feeds, [name]: { dims, data: moved } })
						return Array.from(answer!.data, Number)
					}
					const [above, below] = [await at(1), await at(-1)]
					const largest = Math.max(...above.map(Math.abs))
					return [(meanOf(above) - meanOf(below)) / (2 * step), (2 ** -23 * largest) / step] as const
				}
				await expectSlope(`gradient of ${name}, ${kind} direction`, slope, {
					found: values.reduce((sum, value, i) => sum + value * unit[i]!, 0),
					length: norm(Array.from(data, Number)) || 1,
					rtol: 0.03,
					atol: 0.003 * norm(values),
				})
			}
		}
	})
}

describeShared('strangers’ models', () => {
	for (const file of modelFiles()) {
		it(`${file}: restated in opset 17 it answers as before`, async () => {
			const { graph, feeds } = subjectOf(file)
			const output = graph.outputs[0]!.name
			const before = await withSession(graph, (session) => session.run(feeds))
			const restated = await withSession(restateForGradient(graph), (session) => session.run(feeds))
			const expected = Array.from(before[output]!.data, Number)
			expectAllclose(restated[output]!.data, expected, { what: file })
		})

		it(`${file}: the gradient of the mean logit agrees with differences`, async ({ skip }) => {
			try {
				await expectGradients(subjectOf(file))
			} catch (error) {
				if (error instanceof GoodnetError && error.code === 'no-gradient') skip(error.message)
				throw error
			}
		})
	}
})
