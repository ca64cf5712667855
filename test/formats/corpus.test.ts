/**
 * Every file of `../shared/models`, whoever made it and whatever it is: it works and gives the outputs recorded beside it, or it is refused by
 * an error that says why. What is expected of a file stands in `models.json` and `loader-corpus/corpus.json`, so a new file needs no new test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { GoodnetError } from '../../src/errors.ts'
import { readArchitecture } from '../../src/formats/keras/keras.ts'
import { assertSupported } from '../../src/formats/keras/translate.ts'
import { elementCount, type Graph } from '../../src/graph/graph.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { runBatch } from '../../src/model/batches.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { openGraph } from '../../src/model/open.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const runtime = await nodeRuntime()
const ROOT = sharedPath('models')

interface CorpusEntry {
	readonly file: string
	readonly kind: string
	readonly expect: string
}

interface ModelRecord {
	readonly files: readonly string[]
	readonly classes: number
}

const corpus: readonly CorpusEntry[] = readJson('loader-corpus/corpus.json') ?? []
const records: readonly ModelRecord[] = readJson('models.json') ?? []

function readJson(file: string) {
	return existsSync(join(ROOT, file)) ? JSON.parse(readFileSync(join(ROOT, file), 'utf8')) : null
}

/** Not models by themselves: records, references, and what belongs to a model beside it. */
const PARTS = /(\.md|\.bin|\.pb|\.ref\.json|\.ref\.input\.f32|(^|\/)(models|corpus|input_\d+|output_\d+)\.json)$/

function modelFiles(): string[] {
	if (!existsSync(ROOT)) return []
	const found = readdirSync(ROOT, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
	const files = found.map((each) => relative(ROOT, join(each.parentPath, each.name)))
	return files.filter((file) => !PARTS.test(file)).sort()
}

/** What loading `file` gives: a model, or an error, which is goodnet's own or fails the test. */
async function outcomeOf(file: string): Promise<Model | GoodnetError> {
	const path = join(ROOT, file)
	const load = (architecture?: string) => loadModel(path, { runtime, architecture }).catch(named)
	const outcome = await load()
	const partner = outcome instanceof GoodnetError && outcome.code === 'architecture-needed' ? partnerOf(path) : null
	return partner ? load(partner) : outcome
}

function named(error: unknown): GoodnetError {
	expect(error, String((error as Error).stack)).toBeInstanceOf(GoodnetError)
	return error as GoodnetError
}

/** The architecture of a weights-only file, beside it. */
function partnerOf(path: string): string | undefined {
	const stem = path.replace(/_weights\.h5$/, '')
	return [`${stem}.json`, `${stem}_net.h5`, join(dirname(path), 'model.json')].find((each) => existsSync(each))
}

/** `expect` in corpus.json → what the error must say. The first that fits counts. */
const REFUSALS: readonly (readonly [
	RegExp,
	code: string,
	message: (match: RegExpMatchArray, kind: string) => string,
])[] = [
	[/Lambda/, 'unsupported-layer', () => 'Lambda'],
	[/refuse \((Q\w+),/, 'unsupported-layer', ([, layer]) => layer ?? ''],
	[/custom layers/, 'unsupported-layer', () => 'QConv2D'],
	[/refuse: (\S+) is (missing|not there)/, 'file-missing', ([, name]) => name ?? ''],
	[/weights missing/, 'weights-missing', () => 'Dense'],
	[/no layers/, 'no-model', () => 'no layers'],
	[/Git LFS/, 'unknown-format', () => 'git lfs pull'],
	[/operators of/, 'not-runnable', () => 'ONNX Runtime'],
	[/no graph/, 'corrupt-onnx', () => 'no graph'],
	[/naming the format/, 'unknown-format', (_, kind) => kind.replace(/ state dict.*/, '')],
	[/not a classifier/, 'not-a', () => 'expected'],
]

function checkRefusal(error: GoodnetError, { expect: text, kind }: CorpusEntry): void {
	expect(error.exitCode).toBe(3)
	expect(error.message).toMatch(/^\S.*: /)
	for (const [pattern, code, message] of REFUSALS) {
		const match = text.match(pattern)
		if (!match) continue
		expect(error.code).toContain(code)
		expect(error.message).toContain(message(match, kind))
		return
	}
}

/** The outputs that somebody else computed: beside the file, or beside another form of the same net. */
function referenceOf(file: string): string | undefined {
	const siblings = records.find(({ files }) => files.includes(file))?.files ?? []
	const places = [file, join(dirname(dirname(file)), 'model'), ...(file.endsWith('.pth') ? [] : siblings)]
	return places.map((place) => join(ROOT, place)).find((place) => existsSync(`${place}.ref.json`))
}

async function checkOutputs(graph: Graph, place: string, batch: number | null): Promise<void> {
	const { shape, output } = JSON.parse(readFileSync(`${place}.ref.json`, 'utf8'))
	const data = new Float32Array(new Uint8Array(readFileSync(`${place}.ref.input.f32`)).buffer)
	// From encoded bytes, so that what we write is what was meant.
	const session = await runtime.load(decodeOnnx(encodeOnnx(graph)))
	const results = await runBatch(session, { [graph.inputs[0]!.name]: { dims: shape, data } }, shape[0], batch)
	await session.close()
	checkClose(results[graph.outputs[0]!.name]!.data as Float32Array, output.flat(Infinity))
}

/** 1e-4, relative for logits in the thousands (the CNTK net works on raw pixels). */
function checkClose(found: ArrayLike<number>, expected: readonly number[]): void {
	expect(found).toHaveLength(expected.length)
	for (const [i, value] of expected.entries())
		expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(value)))
}

async function readGraph(file: string): Promise<Graph> {
	return (await openGraph(new Uint8Array(readFileSync(join(ROOT, file))), { path: file })).graph
}

/** A net that classifies no images runs all the same: against its reference, or on zeros, giving numbers. */
async function checkRuns(file: string): Promise<void> {
	const graph = await readGraph(file)
	const place = referenceOf(file)
	if (place) return checkOutputs(graph, place, null)
	const [input] = graph.inputs
	const [, ...dims] = (input?.shape ?? []).map(Number)
	const free = {
		...graph,
		inputs: [{ ...input!, shape: [null, ...dims] }],
		outputs: graph.outputs.map((each) => ({ ...each, shape: null })),
	}
	const session = await runtime.load(free)
	const [output] = Object.values(
		await session.run({ [input!.name]: { dims: [1, ...dims], data: new Float32Array(elementCount(dims)) } }),
	)
	await session.close()
	expect([...(output!.data as Float32Array)].every(Number.isFinite)).toBe(true)
}

/** An architecture is no model; with its weights it is tried under their name. */
async function checkArchitecture(file: string, entry: CorpusEntry): Promise<void> {
	const path = join(ROOT, file)
	await expect(loadModel(path, { runtime })).rejects.toThrow(/JSON without weights.*--architecture/)
	const reading = readArchitecture(new Uint8Array(readFileSync(path)), file).then(assertSupported)
	if (entry.expect.startsWith('refuse')) checkRefusal(named(await reading.catch((error: unknown) => error)), entry)
	else await reading
}

const NO_IMAGE_CLASSIFIER = ['not-an-image-model', 'not-a-classifier', 'dynamic-input', 'too-few-classes']

/** Nets of `models.json` that are there in a form which no loader without Python or TensorFlow can read. */
function isForeign(file: string): boolean {
	return file.endsWith('.pth') || file.includes('tfjs_graph_model')
}

describeShared('every file of ../shared/models', () => {
	for (const file of modelFiles().filter((each) => !existsSync(join(ROOT, dirname(each), 'input_0.json')))) {
		it(file, async () => {
			const entry = corpus.find((each) => `loader-corpus/${each.file}` === file)
			const record = records.find(({ files }) => files.includes(file))
			if (entry?.kind.endsWith('architecture JSON')) return checkArchitecture(file, entry)
			const outcome = await outcomeOf(file)
			if (outcome instanceof GoodnetError) {
				expect(record === undefined || isForeign(file), outcome.message).toBe(true)
				if (entry) checkRefusal(outcome, entry)
				const isRunnable = NO_IMAGE_CLASSIFIER.includes(outcome.code)
				if (isRunnable) await checkRuns(file)
				expect(/^loads(?! or)/.test(entry?.expect ?? '') && !isRunnable, outcome.message).toBe(false)
				return
			}
			expect(/^refuse(?! or)/.test(entry?.expect ?? ''), 'loads what should be refused').toBe(false)
			if (record) expect(outcome.classes).toBe(record.classes)
			const place = referenceOf(file)
			if (place) await checkOutputs(outcome.graph, place, outcome.input.batch)
		}, 120_000)
	}
})

describeShared('single operators of ONNX’ own test suite, opset 6 restated as 7', () => {
	for (const file of modelFiles().filter((each) => existsSync(join(ROOT, dirname(each), 'input_0.json')))) {
		it(basename(dirname(file)), async () => {
			const graph = await readGraph(file)
			const [input, output] = ['input_0.json', 'output_0.json'].map((name) => readJson(join(dirname(file), name)))
			const session = await runtime.load(graph)
			const feed = { dims: input.shape, data: Float32Array.from(input.data.flat(Infinity)) }
			const results = await session.run({ [graph.inputs[0]!.name]: feed })
			await session.close()
			checkClose(results[graph.outputs[0]!.name]!.data as Float32Array, output.data.flat(Infinity))
		})
	}
})

/** Good files in the wrong company: file, architecture, code, a word that the message must have. */
const MISMATCHED = [
	['loader-corpus/keras2/KERAS_conv2d_model_weights.h5', undefined, 'architecture-needed', 'weights only'],
	[
		'loader-corpus/keras2/KERAS_conv2d_model_weights.h5',
		'loader-corpus/keras2/keras_3layer_batch_norm.h5',
		'weights-missing',
		'fc1_relu',
	],
	['../csaw/mini_valid.h5', undefined, 'no-model', 'looks like a data set'],
] as const

describeShared('good files in the wrong company', () => {
	it.each(MISMATCHED)('%s with architecture %s is refused as %s', async (file, other, code, word) => {
		const architecture = other && join(ROOT, other)
		await expect(loadModel(join(ROOT, file), { runtime, architecture })).rejects.toMatchObject({
			code,
			message: expect.stringContaining(word),
		})
	})
})
