/** Bytes of any model file → `Model`: recognised by content first, read by its format, checked, and tried once. */
import { PreprocessingRecord } from '../contracts/prune-run.ts'
import { type Preprocessing, RAW } from '../data/preprocess.ts'
import { FormatError, InputError, UnsupportedError } from '../errors.ts'
import { nothingBeside, type ReadBeside } from '../formats/beside.ts'
import { nameForeignFormat } from '../formats/foreign.ts'
import { matchKerasArchive, openKerasArchive } from '../formats/keras/archive.ts'
import { type KerasArchitecture, matchKeras, openKeras } from '../formats/keras/keras.ts'
import { matchOnnx, openOnnx } from '../formats/onnx.ts'
import { matchTfjs, openTfjs } from '../formats/tfjs/tfjs.ts'
import { elementCount, floatsOf, type Graph, intsOf, type Tensor } from '../graph/graph.ts'
import { parseJson } from '../json.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { describeModel } from './describe.ts'
import type { Model, ModelFormat } from './model.ts'

/** 2 GiB of float32, the size of the largest model that fits a file; the largest real one seen is VGG-19's 103 million. */
const MAX_CONSTANT_ELEMENTS = 2 ** 29

/** What `openModel` reads, for messages. */
export const EXPECTED = 'a model as ONNX, Keras .h5 or .keras, or TF.js model.json'

export interface OpenModelOptions {
	/** Named in errors and in every record of a run. */
	readonly path: string
	/** SHA-256 of the bytes, hex; of a model in several files, `ModelSource.sha256` says what it should cover. */
	readonly sha256: string
	/** Where the files beside the model's own come from (TF.js shards, ONNX external data). Default: there are none. */
	readonly readBeside?: ReadBeside | undefined
	readonly runtime: Runtime
	/**
	 * Where the trial run of an ONNX graph takes place. Native code can be crashed by a graph made for it (ONNX Runtime 1.30 divides by zero where a map
	 * shrinks to nothing), and takes the process along; WebAssembly raises an error. A Keras
	 * file's graph is made by our own translator, which checks every size. Default: `runtime`.
	 */
	readonly sandbox?: (() => Promise<Runtime>) | undefined
	/** How raw pixels become the model's input. What is not given here is as the file's metadata say (GoodNets tell it), else raw. */
	readonly preprocessing?: Partial<Preprocessing> | undefined
	/** For weights-only `.h5` files. */
	readonly architecture?: KerasArchitecture | undefined
}

/**
 * Reads a model from the bytes of its file. Works in Node and in browsers.
 *
 * @param bytes the whole file; the model keeps and shares it, so it must not be changed afterwards
 * @throws FormatError, UnsupportedError, InputError with `path` and, where one is to blame, `layer`
 */
export async function openModel(bytes: Uint8Array, options: OpenModelOptions): Promise<Model> {
	const { path, sha256, runtime, sandbox, preprocessing } = options
	const { format, graph, beside = new Map() } = await openGraph(bytes, options)
	checkBounded(graph, path)
	checkNoControlFlow(graph, path)
	checkFinite(graph, path)
	const source = { path, format, bytes, beside, sha256, graph }
	const trial = format === 'onnx' ? await sandbox?.() : undefined
	return describeModel(graph, source, runtime, { ...RAW, ...preprocessingOf(graph), ...preprocessing }, trial)
}

/** The metadata key under which a GoodNet keeps its preprocessing, as JSON. */
export const PREPROCESSING_KEY = 'goodnet.preprocessing'

function preprocessingOf({ metadata }: Graph): Partial<Preprocessing> {
	const text = metadata.get(PREPROCESSING_KEY)
	const parsed = text === undefined ? null : PreprocessingRecord.safeParse(parseJson(text))
	return parsed?.success ? parsed.data : {}
}

/** A file read, and not yet asked what it classifies. */
export interface OpenedGraph {
	readonly format: ModelFormat
	readonly graph: Graph
	readonly beside?: ReadonlyMap<string, Uint8Array>
}

/** The graph in the bytes of any model file, classifier of images or not, and the files beside it that it was read with. Throws as `openModel`. */
export async function openGraph(
	bytes: Uint8Array,
	options: Pick<OpenModelOptions, 'path' | 'architecture' | 'readBeside'>,
): Promise<OpenedGraph> {
	const { path, architecture, readBeside = nothingBeside(path) } = options
	if (matchKeras(bytes)) {
		const graph = await openKeras(bytes, { path, ...(architecture && { architecture }) })
		return { format: 'keras-h5', graph }
	}
	if (matchKerasArchive(bytes)) return { format: 'keras-v3', graph: await openKerasArchive(bytes, path) }
	if (matchTfjs(bytes)) return { format: 'tfjs-layers', ...(await openTfjs(bytes, path, readBeside)) }
	const foreign = nameForeignFormat(bytes)
	if (foreign === null && matchOnnx(bytes)) return { format: 'onnx', ...(await openOnnx(bytes, path, readBeside)) }
	const found = foreign ?? 'bytes of no kind we know'
	throw new FormatError('unknown-format', `${path}: expected ${EXPECTED}, found ${found}`, { path })
}

/** A few bytes can ask for any amount of memory; refused before the runtime tries to find it. */
function checkBounded(graph: Graph, path: string): void {
	for (const { op, inputs, name } of graph.nodes) {
		const shape = op === 'ConstantOfShape' ? graph.initializers.get(inputs[0] ?? '') : undefined
		if (shape?.dtype !== 'int64' || elementCount(intsOf(shape)) <= MAX_CONSTANT_ELEMENTS) continue
		const message = `${path}: node ${name || op} makes a constant of shape [${intsOf(shape)}]; expected at most ${MAX_CONSTANT_ELEMENTS} elements`
		throw new FormatError('too-large', message, { path, layer: name })
	}
}

/** Their bodies read values of the graph around them unseen, so that no surgery on that graph would be safe. */
function checkNoControlFlow(graph: Graph, path: string): void {
	const node = graph.nodes.find(({ op, domain }) => domain === '' && (op === 'If' || op === 'Loop' || op === 'Scan'))
	if (!node) return
	const layer = node.name || node.outputs[0] || node.op
	const message = `${path}: node ${layer} is control flow (${node.op}), which goodnet does not support; export the model without it`
	throw new UnsupportedError('control-flow', message, { path, layer })
}

function checkFinite(graph: Graph, path: string): void {
	for (const [name, tensor] of graph.initializers) checkTensor(name, tensor, path)
	for (const { op, outputs, attributes } of graph.nodes) {
		const value = op === 'Constant' ? attributes.value : undefined
		if (value?.type === 'tensor') checkTensor(outputs[0] ?? op, value.value, path)
	}
}

function checkTensor(name: string, tensor: Tensor, path: string): void {
	const index = firstNonFinite(tensor)
	if (index < 0) return
	const message = `${path}: weights ${name} hold NaN or infinity at element ${index}; expected finite numbers: the file is damaged or training diverged`
	throw new InputError('not-finite', message, { path, layer: name })
}

function firstNonFinite(tensor: Tensor): number {
	const copy = () => tensor.bytes.slice().buffer
	switch (tensor.dtype) {
		case 'float32':
			return floatsOf(tensor).findIndex((value) => !Number.isFinite(value))
		case 'float64':
			return new Float64Array(copy()).findIndex((value) => !Number.isFinite(value))
		case 'float16':
			// All exponent bits set: NaN or infinity.
			return new Uint16Array(copy()).findIndex((bits) => (bits & 0x7c00) === 0x7c00)
		default:
			return -1
	}
}
