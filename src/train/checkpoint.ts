/** What a training run is at some step: enough to go on as if it had never stopped. */

import { z } from 'zod'
import { EpochRecord } from '../contracts/training.ts'
import { FormatError } from '../errors.ts'
import { parseJson } from '../json.ts'
import type { Feed } from '../runtime/runtime.ts'

export interface TrainingCheckpoint {
	/** Steps done. */
	readonly step: number
	/** The carried arrays of the step's graph, by input, float32. */
	readonly state: Readonly<Record<string, Feed>>
	/** Parameters and statistics of the best epoch so far, where one is looked for. */
	readonly best: Readonly<Record<string, Feed>> | null
	/** The finished epochs, and sums over the one that is under way. */
	readonly history: readonly EpochRecord[]
	readonly running: RunningSums
}

/** Sums over the steps of an epoch. */
export interface RunningSums {
	readonly loss: number
	readonly correct: number
	readonly images: number
}

/** Where a run keeps its checkpoints; `report/journal.ts` and tests provide it. */
export interface CheckpointStore {
	/** The last one saved, or null. */
	load(): Promise<TrainingCheckpoint | null>
	/** Is it time to save again? */
	isDue(): boolean
	save(checkpoint: TrainingCheckpoint): Promise<void>
}

const Header = z.object({
	step: z.number().int().nonnegative(),
	history: z.array(EpochRecord),
	running: z.object({ loss: z.number(), correct: z.number(), images: z.number().int().nonnegative() }),
})
const Entry = z.object({
	dtype: z.literal('F32'),
	shape: z.array(z.number().int().nonnegative()),
	data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
})

const LENGTH_BYTES = 8
const BEST = 'best/'
const METADATA = '__metadata__'

/**
 * A checkpoint as a safetensors file (github.com/huggingface/safetensors, "Format"): eight bytes with the length of a JSON header, the header,
 * then the arrays, little-endian. The step and the history stand in its metadata.
 */
export function encodeCheckpoint({ step, state, best, history, running }: TrainingCheckpoint): Uint8Array {
	const named = Object.entries(best ?? {}).map(([name, feed]) => [BEST + name, feed] as const)
	const arrays = [...Object.entries(state), ...named]
	const header: Record<string, unknown> = { [METADATA]: { goodnet: JSON.stringify({ step, history, running }) } }
	let offset = 0
	for (const [name, { dims, data }] of arrays) {
		header[name] = { dtype: 'F32', shape: dims, data_offsets: [offset, offset + data.byteLength] }
		offset += data.byteLength
	}
	const text = new TextEncoder().encode(JSON.stringify(header))
	// The format wants the arrays to begin at a multiple of eight; spaces fill up.
	const length = Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES
	const file = new Uint8Array(LENGTH_BYTES + length + offset)
	new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
	file.set(text, LENGTH_BYTES)
	file.fill(0x20, LENGTH_BYTES + text.length, LENGTH_BYTES + length)
	let at = LENGTH_BYTES + length
	for (const [, { data }] of arrays) {
		file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
		at += data.byteLength
	}
	return file
}

/** @throws FormatError `bad-checkpoint` for anything that `encodeCheckpoint` did not write whole */
export function decodeCheckpoint(bytes: Uint8Array, path: string): TrainingCheckpoint {
	// What Node reads is a Buffer, and a slice of that is no copy.
	const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	const bad = (found: string): FormatError => {
		const message = `${path}: expected the checkpoint of a training run, found ${found}; start anew with --force`
		return new FormatError('bad-checkpoint', message, { path })
	}
	if (file.length < LENGTH_BYTES) throw bad(`${file.length} bytes`)
	const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
	if (length > file.length - LENGTH_BYTES) throw bad('a header that is longer than the file')
	const begin = LENGTH_BYTES + Number(length)
	const header = parseJson(new TextDecoder().decode(file.subarray(LENGTH_BYTES, begin)))
	const parsed = z.record(z.string(), z.unknown()).safeParse(header)
	if (!parsed.success) throw bad('no JSON header')
	const { [METADATA]: metadata, ...entries } = parsed.data
	const facts = Header.safeParse(parseJson(z.object({ goodnet: z.string() }).safeParse(metadata).data?.goodnet ?? ''))
	if (!facts.success) throw bad('no record of steps')
	const state: Record<string, Feed> = {}
	const best: Record<string, Feed> = {}
	for (const [name, value] of Object.entries(entries)) {
		const entry = Entry.safeParse(value)
		const [from, to] = entry.data?.data_offsets ?? [0, -1]
		const count = entry.data?.shape.reduce((product, dim) => product * dim, 1) ?? -1
		if (!entry.success || to > file.length - begin || to - from !== count * 4) throw bad(`a bad array ${name}`)
		const data = new Float32Array(file.slice(begin + from, begin + to).buffer)
		const isBest = name.startsWith(BEST)
		;(isBest ? best : state)[isBest ? name.slice(BEST.length) : name] = { dims: entry.data.shape, data }
	}
	return { ...facts.data, state, best: Object.keys(best).length > 0 ? best : null }
}
