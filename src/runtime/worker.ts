/** One thread of the native runtime: holds sessions and runs them, one message at a time, as `worker-pool.ts` says. */
import { parentPort } from 'node:worker_threads'
import * as ort from 'onnxruntime-node'
import { GoodnetError, messageOf } from '../errors.ts'
import { loadLoop, loadSession } from './ort.ts'
import type { Carried, Feed, Loop, Session } from './runtime.ts'

/** What the pool asks for. Every request is answered by one `Answer` with the same `id`. */
export type Request = { readonly id: number; readonly session: number } & (
	| { readonly kind: 'load'; readonly bytes: Uint8Array; readonly threads: number; readonly carried?: Carried }
	| { readonly kind: 'run'; readonly feeds: Readonly<Record<string, Feed>> }
	/** Of a loop. */
	| { readonly kind: 'state' }
	| { readonly kind: 'close' }
)

/** `failure` carries the error's code and words: an error's class does not cross the border between threads. */
export type Answer = { readonly id: number } & (
	| { readonly results: Readonly<Record<string, Feed>> }
	| { readonly failure: { readonly code: string; readonly message: string } }
)

const sessions = new Map<number, Session | Loop>()

parentPort!.on('message', async (request: Request) => {
	const { id } = request
	try {
		const results = await handle(request)
		const buffers = new Set(Object.values(results).map(({ data }) => data.buffer as ArrayBuffer))
		post({ id, results }, [...buffers])
	} catch (error) {
		// What nobody raised on purpose is our own fault, and its stack says where.
		const isOnPurpose = error instanceof GoodnetError
		const message = isOnPurpose ? error.message : ((error as Error).stack ?? messageOf(error))
		post({ id, failure: { code: isOnPurpose ? error.code : 'bug', message } })
	}
})

async function handle(request: Request): Promise<Readonly<Record<string, Feed>>> {
	switch (request.kind) {
		case 'load':
			sessions.set(request.session, await load(request))
			return {}
		case 'run':
			return sessions.get(request.session)!.run(request.feeds)
		case 'state':
			// The pool asks it of loops only.
			return (sessions.get(request.session) as Loop).state()
		case 'close':
			await sessions.get(request.session)?.close()
			sessions.delete(request.session)
			return {}
	}
}

function load({ bytes, threads, carried }: Extract<Request, { kind: 'load' }>): Promise<Session | Loop> {
	const options = { provider: 'cpu', threads }
	return carried ? loadLoop(ort, bytes, options, carried) : loadSession(ort, bytes, options)
}

function post(answer: Answer, transfer: readonly ArrayBuffer[] = []): void {
	parentPort!.postMessage(answer, transfer)
}
