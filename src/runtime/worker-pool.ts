/**
 * Worker threads that run sessions. A run of the native binding blocks its thread, so the main thread stays free to read and prepare
 * images while the workers compute. One worker a core is as fast as one session with as many threads, and faster where others use the cores
 * too (docs/decisions/014).
 */
import { Worker } from 'node:worker_threads'
import { InputError, MachineError, messageOf, UnsupportedError } from '../errors.ts'
import type { Carried, Feed, Loop, Session } from './runtime.ts'
import type { Answer, Request } from './worker.ts'

/** Beyond this a copy of the weights in each worker costs more memory than it saves time: one worker gets all cores instead. */
const MAX_REPLICATED_BYTES = 2 ** 28
/** A worker takes some 25 MiB; machines with more cores share them among the workers. */
const MAX_WORKERS = 8
/** The next run lies ready when one ends. */
const RUNS_PER_WORKER = 2

export interface WorkerPool {
	/** Runs that are worth having under way at once. */
	readonly lanes: number
	/** @throws UnsupportedError `not-runnable`; MachineError `worker-died` */
	load(bytes: Uint8Array): Promise<Session>
	/** In one worker, with all cores: each run needs what the one before it gave. @throws as `load` */
	loadLoop(bytes: Uint8Array, carried: Carried): Promise<Loop>
}

/** One pool for each number of threads: starting a worker takes a tenth of a second and more. */
const pools = new Map<number, WorkerPool>()

/** The pool that keeps `threads` cores busy. Its workers start with the first session, and do not keep the process alive. */
export function workerPool(threads: number): WorkerPool {
	const pool = pools.get(threads) ?? makePool(threads)
	pools.set(threads, pool)
	return pool
}

function makePool(threads: number): WorkerPool {
	const threadsEach = Math.ceil(threads / MAX_WORKERS)
	const count = Math.floor(threads / threadsEach)
	let lanes: Lane[] = []
	let sessions = 0
	const livingLanes = () => {
		if (lanes.some(({ isDead }) => isDead)) {
			for (const lane of lanes) lane.end()
			lanes = []
		}
		if (lanes.length === 0) lanes = Array.from({ length: count }, () => new Lane())
		return lanes
	}
	return {
		lanes: count * RUNS_PER_WORKER,
		async load(bytes) {
			const isReplicated = bytes.length <= MAX_REPLICATED_BYTES
			const used = isReplicated ? livingLanes() : livingLanes().slice(0, 1)
			return pooledSession(used, sessions++, bytes, isReplicated ? threadsEach : threads)
		},
		async loadLoop(bytes, carried) {
			const [lane] = livingLanes() as [Lane]
			const session = sessions++
			await lane.ask({ session, kind: 'load', bytes, threads, carried })
			return {
				run: (feeds, isGivenAway = false) => lane.run(session, feeds, isGivenAway),
				state: () => lane.ask({ session, kind: 'state' }),
				close: () => lane.close(session),
			}
		},
	}
}

/** A session that exists in every lane that has been asked to run it: the first at once, to hear of errors, the others when needed. */
async function pooledSession(
	lanes: readonly Lane[],
	session: number,
	bytes: Uint8Array,
	threads: number,
): Promise<Session> {
	const loads = new Map<Lane, Promise<unknown>>()
	const loadIn = (lane: Lane): Promise<unknown> => {
		const load = loads.get(lane) ?? lane.ask({ session, kind: 'load', bytes, threads })
		loads.set(lane, load)
		return load
	}
	await loadIn(leastBusy(lanes))
	return {
		async run(feeds, isGivenAway = false) {
			const lane = leastBusy(lanes)
			lane.reserved++
			try {
				const own = isGivenAway ? feeds : copyFeeds(feeds)
				await loadIn(lane)
				return await lane.run(session, own, true)
			} finally {
				lane.reserved--
			}
		},
		async close() {
			await Promise.all([...loads.keys()].map((lane) => lane.close(session)))
		},
	}
}

function leastBusy(lanes: readonly Lane[]): Lane {
	return lanes.reduce((best, lane) => (lane.reserved < best.reserved ? lane : best))
}

/** The caller keeps its arrays, and a view does not drag its whole buffer along. */
function copyFeeds(feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
	return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, { ...feed, data: feed.data.slice() }]))
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

interface Waiting {
	readonly resolve: (results: Record<string, Feed>) => void
	readonly reject: (error: Error) => void
}

/** One worker and the requests it has not answered yet. */
class Lane {
	/** Runs that are meant for this lane, under way or waiting. */
	reserved = 0
	isDead = false
	private readonly worker: Worker
	private readonly waiting = new Map<number, Waiting>()
	private requests = 0

	constructor() {
		this.worker = startWorker()
		this.worker.on('message', (answer: Answer) => this.settle(answer))
		this.worker.on('error', (error) => this.die(messageOf(error)))
		this.worker.on('exit', (code) => this.die(`exit code ${code}`))
		// Listening has taken a reference, so this comes last.
		this.worker.unref()
	}

	ask(request: Unnumbered<Request>, transfer: readonly ArrayBuffer[] = []): Promise<Record<string, Feed>> {
		const id = this.requests++
		return new Promise((resolve, reject) => {
			if (this.isDead) throw workerDied('it ended before')
			this.waiting.set(id, { resolve, reject })
			this.worker.ref()
			this.worker.postMessage({ ...request, id }, transfer)
		})
	}

	run(session: number, feeds: Readonly<Record<string, Feed>>, isGivenAway: boolean): Promise<Record<string, Feed>> {
		const own = isGivenAway ? feeds : copyFeeds(feeds)
		const buffers = new Set(Object.values(own).map(({ data }) => data.buffer as ArrayBuffer))
		return this.ask({ session, kind: 'run', feeds: own }, [...buffers])
	}

	async close(session: number): Promise<void> {
		// A worker that died has taken its sessions along.
		await this.ask({ session, kind: 'close' }).catch(() => {})
	}

	end(): void {
		void this.worker.terminate()
	}

	private settle(answer: Answer): void {
		const waiting = this.waiting.get(answer.id)
		this.waiting.delete(answer.id)
		if (this.waiting.size === 0) this.worker.unref()
		if ('failure' in answer) waiting?.reject(errorFrom(answer.failure))
		else waiting?.resolve(answer.results)
	}

	private die(reason: string): void {
		this.isDead = true
		for (const { reject } of this.waiting.values()) reject(workerDied(reason))
		this.waiting.clear()
	}
}

function startWorker(): Worker {
	// Node runs compiled code only, so where the sources themselves are run, in tests, the worker is the one of the last build.
	const isSource = import.meta.url.endsWith('.ts')
	return new Worker(new URL(isSource ? '../../dist/runtime/worker.js' : './worker.js', import.meta.url))
}

function workerDied(reason: string): MachineError {
	return new MachineError('worker-died', `a thread that runs the model ended: ${reason}; try --threads 1`)
}

function errorFrom({ code, message }: { readonly code: string; readonly message: string }): Error {
	if (code === 'not-runnable') return new UnsupportedError(code, message)
	if (code === 'run-failed') return new InputError(code, message)
	return new Error(message)
}
