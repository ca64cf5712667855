/** A `Runtime` over either flavour of ONNX Runtime: both share one JavaScript interface, `onnxruntime-common`. */
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { InputError, messageOf, UnsupportedError } from '../errors.ts'
import { narrowToHalves, widenHalves } from '../graph/float16.ts'
import type { DType } from '../graph/graph.ts'
import { encodeOnnx } from '../graph/onnx.ts'
import type { Carried, Feed, Loop, Runtime, Session, TensorData } from './runtime.ts'

/** The part of `onnxruntime-node` and `onnxruntime-web` that we use. */
export interface Ort {
	readonly InferenceSession: {
		create(bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
	}
	readonly Tensor: typeof Tensor
}

/** ONNX Runtime's log level "fatal": what it has to say about somebody's export comes to us as an exception, and is told once. */
const LOG_FATAL_ONLY = 4
/** Its messages carry source paths and stack traces; the first words say what matters. */
const MAX_REASON = 300

/** A runtime over `ort` that runs in this thread, one run at a time. `provider` is ONNX Runtime's word for where to compute. */
export function ortRuntime(ort: Ort, about: Omit<Runtime, 'load' | 'loadLoop' | 'lanes'>, provider: string): Runtime {
	const options = { provider, threads: about.threads }
	return {
		...about,
		lanes: 1,
		load: (graph) => loadSession(ort, encodeOnnx(graph), options),
		loadLoop: (graph, carried) => loadLoop(ort, encodeOnnx(graph), options, carried),
	}
}

interface EngineOptions {
	/** ONNX Runtime's word for where to compute. */
	readonly provider: string
	/** Within one operator. */
	readonly threads: number
}

/** A session over the bytes of an ONNX model. @throws UnsupportedError `not-runnable` */
export async function loadSession(ort: Ort, bytes: Uint8Array, options: EngineOptions): Promise<Session> {
	const session = await createSession(ort, bytes, options)
	return {
		run: async (feeds) =>
			mapValues(
				await runOrt(
					session,
					mapValues(feeds, (feed) => toTensor(ort, feed)),
				),
				fromTensor,
			),
		close: () => session.release(),
	}
}

/** A loop over the bytes of an ONNX model. @throws UnsupportedError `not-runnable` */
export async function loadLoop(
	ort: Ort,
	bytes: Uint8Array,
	options: EngineOptions,
	{ outputOf, state }: Carried,
): Promise<Loop> {
	const session = await createSession(ort, bytes, options)
	let carried = mapValues(state, (feed) => toTensor(ort, feed))
	let last: Promise<unknown> = Promise.resolve()
	const step = async (feeds: Readonly<Record<string, Feed>>) => {
		const results = await runOrt(session, { ...carried, ...mapValues(feeds, (feed) => toTensor(ort, feed)) })
		carried = Object.fromEntries([...outputOf].map(([input, output]) => [input, results[output]!]))
		const isCarried = new Set(outputOf.values())
		const own = Object.entries(results).filter(([name]) => !isCarried.has(name))
		return mapValues(Object.fromEntries(own), fromTensor)
	}
	return {
		run(feeds) {
			const result = last.then(() => step(feeds))
			last = result.catch(() => {})
			return result
		},
		// Copied: the engine goes on reading its own.
		state: () => last.then(() => mapValues(carried, (tensor) => copyOf(fromTensor(tensor)))),
		close: () => last.then(() => session.release()),
	}
}

function copyOf(feed: Feed): Feed {
	return { ...feed, data: feed.data.slice() }
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (from: From) => To): Record<string, To> {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}

async function createSession(
	ort: Ort,
	bytes: Uint8Array,
	{ provider, threads }: EngineOptions,
): Promise<InferenceSession> {
	const options: InferenceSession.SessionOptions = {
		executionProviders: [provider],
		intraOpNumThreads: threads,
		interOpNumThreads: 1,
		logSeverityLevel: LOG_FATAL_ONLY,
	}
	try {
		return await ort.InferenceSession.create(bytes, options)
	} catch (error) {
		throw new UnsupportedError('not-runnable', `ONNX Runtime refuses this model: ${reasonOf(error)}`, {
			cause: error,
		})
	}
}

async function runOrt(
	session: InferenceSession,
	tensors: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
	return session.run(tensors, { logSeverityLevel: LOG_FATAL_ONLY }).catch((error: unknown) => {
		throw new InputError('run-failed', `the model cannot be run: ${reasonOf(error)}`, { cause: error })
	})
}

function reasonOf(error: unknown): string {
	const text = messageOf(error).replaceAll(/\s+/g, ' ').trim()
	return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text
}

function toTensor(ort: Ort, { data, dims, dtype }: Feed): Tensor {
	if (dtype === 'float16') return new ort.Tensor('float16', narrowToHalves(data as Float32Array), dims) // see Feed: halves come widened
	return new ort.Tensor((dtype as 'float32' | undefined) ?? dtypeOf(data), data as Float32Array, dims)
}

function dtypeOf(data: TensorData) {
	// The array's class names its ONNX type; the cast above stands for all of them, since Tensor's overloads take one type each.
	const names = {
		Float32Array: 'float32',
		Float64Array: 'float64',
		Uint8Array: 'uint8',
		Int8Array: 'int8',
		Uint16Array: 'uint16',
		Int16Array: 'int16',
		Int32Array: 'int32',
		Uint32Array: 'uint32',
		BigInt64Array: 'int64',
		BigUint64Array: 'uint64',
	} as const
	return names[data.constructor.name as keyof typeof names] as 'float32'
}

function fromTensor({ data, dims, type }: Tensor): Feed {
	if (type === 'float16') return { data: widenHalves(halvesOf(data as ArrayBufferView)), dims, dtype: type }
	return { data: data as TensorData, dims, dtype: type as DType } // strings cannot occur: no operator of an image classifier makes them
}

/** The bits: newer engines than Node 20 hand out a `Float16Array`. */
function halvesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint16Array {
	return new Uint16Array(buffer, byteOffset, byteLength / Uint16Array.BYTES_PER_ELEMENT)
}
