/**
 * What a training run leaves in its folder while it is under way: `journal.json`, which says what run it is, and a checkpoint for each stage.
 * Both are written under temporary names and renamed, so that a kill at any moment leaves whole files.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Journal } from '../contracts/journal.ts'
import { InputError, messageOf } from '../errors.ts'
import { writeError, writeFileWhole } from '../files.ts'
import { type CheckpointStore, decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts'
import {
	checkpointName,
	checkSameRun,
	JOURNAL,
	type JournalOptions,
	readJournal,
	removeEmpty,
	removeHalfWritten,
	removeLeftovers,
} from './journal.ts'

/** At least this long between two checkpoints, and longer where saving takes long: it may cost a twentieth of the time. */
const MIN_INTERVAL_MS = 1000
const COST = 20

export interface TrainingJournal {
	/** The command line that began the run: this one, or that of the run which is resumed. */
	readonly command: string
	/** Where stage `stage`, counted from 1, keeps its checkpoints. */
	store(stage: number): CheckpointStore
	/** Is there something in the folder to go on from? */
	isWritten(): boolean
	/** Removes what this run has written and what it goes on from: it has failed for good. Another run's checkpoints stay. */
	remove(): Promise<void>
}

/** @throws InputError `other-run` where the journal there is another run's, `bad-journal` where it cannot be read */
export async function openTrainingJournal(folder: string, options: JournalOptions): Promise<TrainingJournal> {
	const earlier = options.isResumed ? await readJournal(folder) : null
	const identity = await options.identity()
	if (earlier) {
		checkSameRun(folder, earlier.identity, identity)
		// Each kill may have left a whole net's weights behind.
		await removeHalfWritten(folder)
	}
	const command = earlier?.command ?? options.command
	let isWritten = earlier !== null
	let created: string | undefined
	const begin = async () => {
		if (isWritten) return
		const made = await mkdir(folder, { recursive: true }).catch((error: unknown) => {
			throw writeError(folder, error)
		})
		created ??= made
		// An earlier run's checkpoints must not be taken for this one's.
		await removeLeftovers(folder)
		const journal: Journal = { schema: 'goodnet/journal@1', command, identity, checkpoints: {} }
		await writeFileWhole(join(folder, JOURNAL), JSON.stringify(journal), { force: true })
		isWritten = true
	}
	return {
		command,
		isWritten: () => isWritten,
		store: (stage) => fileStore(join(folder, checkpointName(stage)), begin, earlier !== null, options.now),
		async remove() {
			if (isWritten) await removeLeftovers(folder)
			if (created !== undefined) await removeEmpty(folder, created)
		},
	}
}

function fileStore(
	path: string,
	begin: () => Promise<void>,
	isResumed: boolean,
	now: JournalOptions['now'],
): CheckpointStore {
	let dueAt = now() + MIN_INTERVAL_MS
	let asked = now()
	return {
		isDue() {
			// What follows counts as the cost of saving, taking the weights from the engine included.
			asked = now()
			return asked >= dueAt
		},
		async load() {
			const bytes = isResumed ? await readCheckpoint(path) : null
			return bytes && decodeCheckpoint(bytes, path)
		},
		async save(checkpoint) {
			await begin()
			await writeFileWhole(path, encodeCheckpoint(checkpoint), { force: true })
			const end = now()
			dueAt = end + Math.max(MIN_INTERVAL_MS, COST * (end - asked))
		},
	}
}

async function readCheckpoint(path: string): Promise<Uint8Array | null> {
	return readFile(path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null
		throw new InputError('bad-checkpoint', `${path} cannot be read: ${messageOf(error)}`, { path, cause: error })
	})
}
