/**
 * Many exports declare the batch they were traced with (PyTorch: 1), though nothing in them depends on it. Such a batch is freed, since
 * running images one by one costs several times more; where the graph itself insists on it (a Reshape to `[1, 800]`), it stays.
 */
import { InputError, UnsupportedError } from '../errors.ts'
import { type Graph, intsOf, type Value } from '../graph/graph.ts'
import { constantOf, dependentsOf, writersOf } from '../graph/query.ts'
import type { Feed, Runtime, Session } from '../runtime/runtime.ts'
import { pixelFeed } from './feed.ts'
import type { ModelInput } from './model.ts'

/** Between runs of other batch sizes sums are taken in another order; beyond this an answer depends on its neighbours. */
const TOLERANCE = 1e-4

/**
 * `graph` with a free batch, or null where it does not run so, or an image's answer depends on the images beside it. Tried on two noisy
 * images: together they must give what each gives alone.
 */
export async function freeBatch(graph: Graph, input: ModelInput, runtime: Runtime): Promise<Graph | null> {
	if (isWrittenIn(graph, input)) return null
	const free = declareFree(graph)
	try {
		const session = await runtime.load(free)
		const isFree = await isPerImage(session, input, free).finally(() => session.close())
		return isFree ? free : null
	} catch (error) {
		if (error instanceof InputError || error instanceof UnsupportedError) return null
		throw error
	}
}

/** Does something made of the images get a shape that begins with the batch, as `[1, 800]`? Told without running a large net in vain. */
function isWrittenIn(graph: Graph, { name, batch }: ModelInput): boolean {
	const writers = writersOf(graph)
	return [...dependentsOf(graph, [name])].some(({ op, inputs }) => {
		const shape = op === 'Reshape' ? constantOf(graph, inputs[1] ?? '', writers) : undefined
		return shape?.dtype === 'int64' && intsOf(shape)[0] === batch
	})
}

/** The file's notes on intermediates (`value_info`) name the fixed batch too, and are left out: the engine infers its own. */
function declareFree(graph: Graph): Graph {
	const release = (value: Value): Value =>
		value.shape === null ? value : { ...value, shape: ['N', ...value.shape.slice(1)] }
	return { ...graph, inputs: graph.inputs.map(release), outputs: graph.outputs.map(release), valueInfo: [] }
}

async function isPerImage(session: Session, input: ModelInput, { outputs }: Graph): Promise<boolean> {
	const run = (...seeds: number[]) => session.run({ [input.name]: noisyImages(input, seeds) })
	const [both, first, second] = [await run(1, 2), await run(1), await run(2)]
	return outputs.every(({ name }) => isJoined(both[name]!, first[name]!, second[name]!))
}

/** Is `both` the images of `first`, then those of `second`? */
function isJoined(both: Feed, first: Feed, second: Feed): boolean {
	const expected = [...numbersOf(first), ...numbersOf(second)]
	const found = numbersOf(both)
	const isCounted = both.dims[0] === 2 && first.dims[0] === 1 && found.length === expected.length
	return (
		isCounted && expected.every((value, i) => Math.abs(found[i]! - value) <= TOLERANCE * Math.max(1, Math.abs(value)))
	)
}

function numbersOf({ data }: Feed): number[] {
	return Array.from(data as ArrayLike<number | bigint>, Number)
}

/** One image a seed, with values between 0 and 1 and no two alike. */
function noisyImages(input: ModelInput, seeds: readonly number[]): Feed {
	const size = input.height * input.width * input.channels
	const pixels = Float32Array.from({ length: seeds.length * size }, (_, i) => {
		const noise = Math.sin((i % size) * 12.9898 + seeds[Math.floor(i / size)]! * 78.233) * 43758.5453
		return noise - Math.floor(noise)
	})
	return pixelFeed(input, pixels, seeds.length)
}
