/** Finds out by one small run what a graph is: its input, its classes, the shape of every value in it. */
import type { Preprocessing } from '../data/preprocess.ts'
import { InputError, MachineError, messageOf, UnsupportedError } from '../errors.ts'
import type { Dim, Graph, Value } from '../graph/graph.ts'
import { attributeInts, elementCount } from '../graph/graph.ts'
import { logitsOf, readersOf } from '../graph/query.ts'
import type { Feed, Runtime } from '../runtime/runtime.ts'
import { blankFeed, imageDims } from './feed.ts'
import { freeBatch } from './free-batch.ts'
import { GOODNET_OUTPUTS, type Model, type ModelInput, type ModelSource, showShape } from './model.ts'
import { runKeepingAll } from './shapes.ts'

/** Images of the trial run where the batch is free: two, so that the batch axis can be told from axes of length one. */
const TRIAL_BATCH = 2
/** The largest image we try: 4096×4096 RGB. A larger one in the file is damage or an attack on our memory. */
const MAX_INPUT_ELEMENTS = 4096 * 4096 * 3
const COLOURS = new Set([1, 3, 4])

/**
 * Describes the classifier in the graph `read`. A batch that only its input declares is freed: see `freeBatch`.
 *
 * @param sandbox where a stranger's graph is tried first; default: the runtime itself
 * @throws UnsupportedError `not-an-image-model`, `dynamic-input`, `not-a-classifier`, `not-runnable`
 * @throws InputError `too-few-classes` for fewer than two classes
 */
export async function describeModel(
	read: Graph,
	source: ModelSource,
	runtime: Runtime,
	preprocessing: Preprocessing,
	sandbox: Runtime = runtime,
): Promise<Model> {
	const { graph, input, values } = await firstRun(read, runtime, sandbox, source.path)
	const isGoodnet = Object.values(GOODNET_OUTPUTS).every((name) => graph.outputs.some((output) => output.name === name))
	const output = isGoodnet ? GOODNET_OUTPUTS.scores : (graph.outputs[0]?.name ?? '')
	const classes = classesOf(values.get(output), input, source.path)
	const logits = logitsOf(graph, output)
	return {
		kind: isGoodnet ? 'goodnet' : 'classifier',
		graph,
		source,
		input,
		preprocessing,
		runtime,
		values,
		output,
		logits: valuesPerImage(values.get(logits)) === classes ? logits : output,
		classes,
	}
}

function inputOf(graph: Graph, path: string): ModelInput {
	const [value, second] = graph.inputs
	if (!value || second) {
		const found = graph.inputs.map(({ name }) => name).join(', ') || 'none'
		throw new UnsupportedError(
			'not-an-image-model',
			`${path}: expected one input of images, found ${graph.inputs.length}: ${found}`,
			{ path },
		)
	}
	const { name, shape, dtype } = value
	const found = `input ${name} of shape ${showShape(shape)} and type ${dtype}`
	if (shape === null || (shape.length !== 4 && shape.length !== 3) || !isPixelType(dtype)) {
		const expected = 'expected images [N, H, W, C], [N, C, H, W] or [N, H, W] as float32, float16, float64 or uint8'
		throw new UnsupportedError('not-an-image-model', `${path}: ${expected}, found ${found}`, { path, layer: name })
	}
	const [batch, ...dims] = shape
	if (!dims.every(isSize) || elementCount(dims) > MAX_INPUT_ELEMENTS) {
		const expected = `expected a fixed image size of at most ${MAX_INPUT_ELEMENTS} values`
		throw new UnsupportedError(
			'dynamic-input',
			`${path}: ${expected}, found ${found}; export the model with its size`,
			{ path, layer: name },
		)
	}
	const isBatchFixed = typeof batch === 'number' && batch > 0
	return { name, dtype, batch: isBatchFixed ? batch : null, ...imageSpec(graph, name, dims) }
}

function isSize(dim: Dim): dim is number {
	return typeof dim === 'number' && dim > 0
}

function isPixelType(dtype: string): dtype is ModelInput['dtype'] {
	return dtype === 'float32' || dtype === 'float16' || dtype === 'float64' || dtype === 'uint8'
}

function imageSpec(
	graph: Graph,
	name: string,
	dims: readonly number[],
): Pick<ModelInput, 'height' | 'width' | 'channels' | 'layout' | 'rank'> {
	const [a, b, c] = dims as [number, number, number]
	if (dims.length === 2) return { height: a, width: b, channels: 1, layout: 'NHWC', rank: 3 }
	const isFirst = COLOURS.has(a)
	const isLast = COLOURS.has(c)
	// Where both ends could be colours, a transposition to channels first right behind the input decides.
	const isTransposed = readersOf(graph)
		.get(name)
		?.some((node) => node.op === 'Transpose' && attributeInts(node, 'perm')?.[1] === 3)
	return isLast && (!isFirst || isTransposed)
		? { height: a, width: b, channels: c, layout: 'NHWC', rank: 4 }
		: { height: b, width: c, channels: a, layout: 'NCHW', rank: 4 }
}

interface FirstRun {
	readonly graph: Graph
	readonly input: ModelInput
	readonly values: ReadonlyMap<string, Value>
}

/** The trial run in the sandbox, or where the sandbox lacks an operator, in the runtime itself; with a free batch if that works. */
async function firstRun(read: Graph, runtime: Runtime, sandbox: Runtime, path: string): Promise<FirstRun> {
	const input = inputOf(read, path)
	try {
		const graph = input.batch === null ? read : await freeBatch(read, input, sandbox)
		if (graph)
			return {
				graph,
				input: { ...input, batch: null },
				values: await trialRun(graph, { ...input, batch: null }, sandbox),
			}
		checkFixedBatch(input, path)
		return { graph: read, input, values: await trialRun(read, input, sandbox) }
	} catch (error) {
		if (sandbox !== runtime && error instanceof UnsupportedError && error.code === 'not-runnable')
			return firstRun(read, runtime, runtime, path)
		if (error instanceof UnsupportedError && error.code === 'fixed-batch') throw error
		if (error instanceof MachineError) throw error
		throw new UnsupportedError('not-runnable', `${path}: ${messageOf(error)}`, { path, cause: error })
	}
}

/** A batch that the graph insists on must be filled whole at every run. */
function checkFixedBatch({ name, batch, height, width, channels }: ModelInput, path: string): void {
	const values = (batch ?? 1) * height * width * channels
	if (values <= MAX_INPUT_ELEMENTS) return
	const message = `${path}: expected a free batch, or one of at most ${MAX_INPUT_ELEMENTS} values, found ${batch} images of ${height}×${width}×${channels} at once, on which the graph insists; export the model again`
	throw new UnsupportedError('fixed-batch', message, { path, layer: name })
}

/** Runs the graph with every intermediate as an output: exact shapes for every operator there is, without inferring one of them. */
async function trialRun(graph: Graph, input: ModelInput, runtime: Runtime): Promise<ReadonlyMap<string, Value>> {
	const results = await runKeepingAll(graph, runtime, {
		[input.name]: blankFeed(input, input.batch ?? TRIAL_BATCH),
	})
	const found = Object.entries(results).map(([name, feed]) => [name, describeValue(name, feed, input)] as const)
	const own: Value = { name: input.name, dtype: input.dtype, shape: [input.batch ?? 'N', ...imageDims(input)] }
	return new Map([[input.name, own], ...found])
}

function describeValue(name: string, { dims, dtype = 'undefined' }: Feed, input: ModelInput): Value {
	const isFloat = dtype === 'float32' || dtype === 'float64' || dtype === 'float16'
	const isPerImage = isFloat && input.batch === null && dims[0] === TRIAL_BATCH
	return { name, dtype, shape: isPerImage ? ['N', ...dims.slice(1)] : dims }
}

function valuesPerImage(value: Value | undefined): number {
	return (value?.shape ?? []).slice(1).reduce<number>((product, dim) => product * Number(dim), 1)
}

function classesOf(output: Value | undefined, { batch }: ModelInput, path: string): number {
	const shape = output?.shape ?? null
	const classes = shape?.[1]
	const isPerImage = shape !== null && shape.length >= 2 && shape[0] === (batch ?? 'N')
	const isClassifier = isPerImage && shape.slice(2).every((dim) => dim === 1)
	if (!isClassifier || typeof classes !== 'number') {
		const found = `${output?.name ?? 'nothing'} of shape ${showShape(shape)}`
		throw new UnsupportedError(
			'not-a-classifier',
			`${path}: expected an output of shape [N, classes], found ${found}`,
			{ path },
		)
	}
	if (classes < 2) {
		throw new InputError(
			'too-few-classes',
			`${path}: expected at least 2 classes, found ${classes} (output ${output?.name})`,
			{ path },
		)
	}
	return classes
}
