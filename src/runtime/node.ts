/** ONNX Runtime's native binding, the default in Node. */
import { availableParallelism } from 'node:os'
import { MachineError, messageOf } from '../errors.ts'
import { encodeOnnx } from '../graph/onnx.ts'
import { ortRuntime } from './ort.ts'
import type { Runtime } from './runtime.ts'
import { workerPool } from './worker-pool.ts'

export interface NodeRuntimeOptions {
	/** Cores to keep busy. With 1 everything runs in the calling thread; with more, sessions run in worker threads. Default: all. */
	readonly threads?: number
}

/** @throws MachineError `no-native-runtime` where `onnxruntime-node` has no binary for this platform or was not installed */
export async function nodeRuntime({ threads = availableParallelism() }: NodeRuntimeOptions = {}): Promise<Runtime> {
	const ort = await import('onnxruntime-node').catch((error: unknown) => {
		throw new MachineError('no-native-runtime', `onnxruntime-node does not load here: ${messageOf(error)}`, {
			cause: error,
		})
	})
	const version = ort.env.versions.node ?? ort.env.versions.common
	const about = { name: 'onnxruntime-node', version, threads, device: 'cpu' } as const
	if (threads === 1) return ortRuntime(ort, about, 'cpu')
	const pool = workerPool(threads)
	return {
		...about,
		lanes: pool.lanes,
		load: (graph) => pool.load(encodeOnnx(graph)),
		loadLoop: (graph, carried) => pool.loadLoop(encodeOnnx(graph), carried),
	}
}

/**
 * The best runtime of this machine: native, else WebAssembly. `run.json` and `goodnet doctor` say which one it was.
 * @throws MachineError `no-runtime` where neither loads, with both reasons
 */
export async function bestRuntime(options: NodeRuntimeOptions = {}): Promise<Runtime> {
	try {
		return await nodeRuntime(options)
	} catch (nativeError) {
		try {
			const { webRuntime } = await import('./web.ts')
			return webRuntime(options)
		} catch (webError) {
			const reasons = `${messageOf(nativeError)}; onnxruntime-web: ${messageOf(webError)}`
			throw new MachineError('no-runtime', `no ONNX Runtime loads here: ${reasons}. Install goodnet again with npm`, {
				cause: nativeError,
			})
		}
	}
}
