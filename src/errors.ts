/**
 * Every error that goodnet raises on purpose. Each carries a stable `code`, so a caller decides by code and never by text, and the
 * message names the thing, what was expected, what was found and the way out.
 *
 * Library code throws and prints nothing; the command line catches once, at the top, and maps `exitCode`.
 */

/** Where an error happened, as far as it is known: typed, so that a user interface shows it without parsing the message. */
export interface ErrorPlace {
	/** The file concerned. */
	readonly path?: string | undefined
	/** The layer or tensor concerned, in the file's own spelling. */
	readonly layer?: string | undefined
	/** A byte offset into the file. */
	readonly offset?: number | undefined
}

/** Base of all errors raised on purpose. `exitCode` is what the command line ends with (design: 2 usage, 3 bad input, 6 machine). */
export class GoodnetError extends Error {
	readonly code: string
	readonly exitCode: number = 1
	readonly path: string | undefined
	readonly layer: string | undefined
	readonly offset: number | undefined

	constructor(code: string, message: string, options: ErrorPlace & { cause?: unknown } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.name = new.target.name
		this.code = code
		this.path = options.path
		this.layer = options.layer
		this.offset = options.offset
	}
}

/** The file is bad: truncated, corrupt, or not what it claims to be. Trying again will not help; another file may. */
export class FormatError extends GoodnetError {
	override readonly exitCode: number = 3
}

/** The file is (as far as we see) good, but holds something that goodnet cannot do yet. */
export class UnsupportedError extends GoodnetError {
	override readonly exitCode: number = 3
}

/** The inputs do not fit each other or the place they go to: shapes, labels, ranges, an empty set, a full disk. */
export class InputError extends GoodnetError {
	override readonly exitCode: number = 3
}

/** The call itself is wrong: an unknown option, a value out of its range. */
export class UsageError extends GoodnetError {
	override readonly exitCode: number = 2
}

/** The machine lacks something: no runtime loads. */
export class MachineError extends GoodnetError {
	override readonly exitCode: number = 6
}

/** The caller stopped the work through its `AbortSignal` (Ctrl-C on the command line). */
export class InterruptedError extends GoodnetError {
	override readonly exitCode: number = 130

	constructor() {
		super('interrupted', 'interrupted')
	}
}

/** Throws `InterruptedError` if `signal` has been aborted. Long loops call it once per batch. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw new InterruptedError()
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown)
}
