/** Runs a step again and again. */
import { throwIfAborted } from '../errors.ts'
import type { Feed, Loop } from '../runtime/runtime.ts'
import type { Optimizer } from './optimizer.ts'
import { scalarInput } from './step.ts'

export interface StepRange {
	/** Steps done before, counted from the beginning of the run. */
	readonly from: number
	/** Steps done at the end. */
	readonly to: number
	readonly signal?: AbortSignal | undefined
}

export interface StepResult {
	/** Steps done, this one included. */
	readonly done: number
	/** What the step told, by output. */
	readonly results: Readonly<Record<string, Feed>>
}

/**
 * Runs `loop` from step to step. While the engine works, the feeds of the next step are made ready.
 *
 * @param feedsOf what step `number`, counted from 0, is fed
 * @throws InterruptedError before the next step, once `signal` is aborted
 */
export async function* runSteps(
	loop: Loop,
	feedsOf: (number: number) => Readonly<Record<string, Feed>>,
	{ from, to, signal }: StepRange,
): AsyncGenerator<StepResult> {
	let feeds = from < to ? feedsOf(from) : null
	for (let done = from + 1; feeds !== null; done++) {
		throwIfAborted(signal)
		const results = loop.run(feeds, true)
		feeds = done < to ? feedsOf(done) : null
		yield { done, results: await results }
	}
}

/** The optimizer's scalars for the step `number`, counted from 0, as the step's graph takes them. */
export function scalarFeeds(optimizer: Optimizer, number: number, rate: number): Record<string, Feed> {
	const scalars = Object.entries(optimizer.scalars(number + 1, rate))
	return Object.fromEntries(
		scalars.map(([name, value]) => [scalarInput(name), { dims: [], data: Float32Array.of(value) }]),
	)
}
