/** ONNX Runtime as WebAssembly: in browsers, and in Node where the native binding does not load (2 to 3 times slower there). */
import * as ort from 'onnxruntime-web'
import { ortRuntime } from './ort.ts'
import type { Runtime } from './runtime.ts'

export interface WebRuntimeOptions {
	/** Worker threads of the WASM engine; in a page more than one needs cross-origin isolation. Default 1. */
	readonly threads?: number
}

/** A WebAssembly runtime. The first call decides the number of threads for the whole process, as ONNX Runtime keeps one engine. */
export function webRuntime({ threads = 1 }: WebRuntimeOptions = {}): Runtime {
	ort.env.wasm.numThreads = threads
	ort.env.logLevel = 'fatal'
	const version = ort.env.versions.web ?? ort.env.versions.common
	return ortRuntime(ort, { name: 'onnxruntime-web', version, threads, device: 'wasm' }, 'wasm')
}
