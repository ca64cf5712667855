/** What goodnet asks of an inference engine. `node.ts` and `web.ts` provide it; everything above runs on either. */
import type { DType, Graph } from '../graph/graph.ts'

/** Arrays that go into and come out of a session. */
export type TensorData =
	| Float32Array
	| Float64Array
	| Uint8Array
	| Int8Array
	| Uint16Array
	| Int16Array
	| Int32Array
	| Uint32Array
	| BigInt64Array
	| BigUint64Array

/**
 * An array with its shape, row-major. Results always tell their `dtype`; a feed may leave it to the array's class. Arrays of `float16` are
 * `Float32Array`s on our side, and rounded to halves on the way in.
 */
export interface Feed {
	readonly dims: readonly number[]
	readonly data: TensorData
	readonly dtype?: DType
}

/** A graph made ready to run. */
export interface Session {
	/**
	 * Runs the graph once. Several runs of one runtime may be under way at the same time; more than `lanes` of them only wait.
	 * @param feeds one array for each input, by name
	 * @param isGivenAway the caller will not look at the arrays again, so that they can be moved to another thread instead of copied
	 * @returns one array for each output, by name; the caller owns them
	 * @throws InputError `run-failed` with the engine's own words, e.g. for a shape that does not fit
	 */
	run(feeds: Readonly<Record<string, Feed>>, isGivenAway?: boolean): Promise<Record<string, Feed>>
	close(): Promise<void>
}

/**
 * A session that feeds some of its outputs back to itself: what is trained stays where the engine runs, and only batches and losses
 * travel.
 */
export interface Loop extends Session {
	/** As for a session, without the carried inputs and outputs. Runs follow each other in the order of the calls. */
	run(feeds: Readonly<Record<string, Feed>>, isGivenAway?: boolean): Promise<Record<string, Feed>>
	/** What the next run will be fed, by the names of the carried inputs, once all runs asked for before have ended. */
	state(): Promise<Record<string, Feed>>
}

/** What a loop carries from each run to the next. */
export interface Carried {
	/** Input → the output that becomes it; both have one type and shape. */
	readonly outputOf: ReadonlyMap<string, string>
	/** What the first run is fed, by input. */
	readonly state: Readonly<Record<string, Feed>>
}

export interface Runtime {
	readonly name: 'onnxruntime-node' | 'onnxruntime-web'
	readonly version: string
	/** Cores that it keeps busy. */
	readonly threads: number
	/** Runs that are worth having under way at once: 1 where a run blocks the caller, else a few for every worker. */
	readonly lanes: number
	/** Where it computes: `cpu`, `wasm`. */
	readonly device: string
	/** @throws UnsupportedError `not-runnable` when the engine refuses the graph */
	load(graph: Graph): Promise<Session>
	/** A loop over `graph`, on all cores. @throws UnsupportedError `not-runnable` */
	loadLoop(graph: Graph, carried: Carried): Promise<Loop>
}
