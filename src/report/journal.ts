/**
 * The journal in the run folder: a run that is killed goes on from there. Rewritten whole, about once a second, under a temporary name that
 * is then renamed, so that at any moment the folder holds a whole journal or none; gone when the run is complete.
 */
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Checkpoint, Journal, type RunIdentity } from '../contracts/journal.ts'
import type { Checkpoints } from '../defense/prune/checkpoints.ts'
import { InputError, messageOf } from '../errors.ts'
import { writeError, writeFileWhole } from '../files.ts'
import { parseJson } from '../json.ts'

export const JOURNAL = 'journal.json'

/** Often enough that little is lost, seldom enough to cost nothing. Shorter runs leave no journal at all. */
const INTERVAL_MS = 1000

/** The journal of one run. */
export interface RunJournal extends Checkpoints {
	/** The command line that began the run: this one, or that of the run which is resumed. */
	readonly command: string
	/** Is there something in the folder to go on from? */
	isWritten(): boolean
	/** Removes it: the run is complete, or has failed for good. */
	remove(): Promise<void>
}

export interface JournalOptions {
	readonly command: string
	/** Asked for when the first checkpoint is written or the journal is resumed: it holds digests of whole files. */
	readonly identity: () => Promise<RunIdentity>
	/** Go on from the journal that is there, if one is. */
	readonly isResumed: boolean
	/** Milliseconds, from any origin. */
	readonly now: () => number
}

/**
 * Opens the journal of a run that will be written to `folder`.
 *
 * @throws InputError `other-run` where the journal there is another run's, `bad-journal` where it cannot be read
 */
export async function openJournal(folder: string, options: JournalOptions): Promise<RunJournal> {
	const earlier = options.isResumed ? await readJournal(folder) : null
	const identity = earlier ? await options.identity() : null
	if (earlier && identity) checkSameRun(folder, earlier.identity, identity)
	const command = earlier?.command ?? options.command
	const checkpoints = new Map<string, Checkpoint>(Object.entries(earlier?.checkpoints ?? {}))
	let written = options.now()
	let isWritten = earlier !== null
	let created: string | undefined
	return {
		command,
		find: (stage) => checkpoints.get(stage),
		async save(stage, { done, total }, state) {
			const isDue = options.now() - written >= INTERVAL_MS
			if (isDue || done === total) checkpoints.set(stage, { done, state: [...state()] })
			if (!isDue) return
			const journal: Journal = {
				schema: 'goodnet/journal@1',
				command,
				identity: identity ?? (await options.identity()),
				checkpoints: Object.fromEntries(checkpoints),
			}
			// JSON has no word for what an overflow leaves; such sums are not written down.
			if (!journal.checkpoints[stage]!.state.every(Number.isFinite)) return
			const made = await mkdir(folder, { recursive: true }).catch((error: unknown) => {
				throw writeError(folder, error)
			})
			created ??= made
			await writeFileWhole(join(folder, JOURNAL), JSON.stringify(journal), { force: true })
			written = options.now()
			isWritten = true
		},
		isWritten: () => isWritten,
		async remove() {
			await rm(join(folder, JOURNAL), { force: true })
			// Of a run that failed nothing stays, not even the folders that it made.
			if (created !== undefined) await removeEmpty(folder, created)
		},
	}
}

/** Removes `folder` and those above it up to `first`, as long as they are empty; one with something in it is left as it is. */
export async function removeEmpty(folder: string, first: string): Promise<void> {
	const top = resolve(first)
	for (let path = resolve(folder); path.length >= top.length; path = dirname(path)) {
		const isRemoved = await rmdir(path).then(
			() => true,
			() => false,
		)
		if (!isRemoved) return
	}
}

/**
 * Of the names in a folder those that an unfinished run may have left there, whenever it was killed. A checkpoint counts only beside a
 * journal, which is written before it: alone it is somebody else's.
 */
export function leftoversOf(names: readonly string[]): string[] {
	return [...keptOf(names), ...names.filter(isHalfWritten)]
}

/** What a run goes on from. */
function keptOf(names: readonly string[]): string[] {
	if (!names.includes(JOURNAL)) return []
	return names.filter((name) => name === JOURNAL || /^checkpoint_\d{1,3}\.safetensors$/.test(name))
}

function isHalfWritten(name: string): boolean {
	return /^(journal\.json|checkpoint_\d{1,3}\.safetensors)\.[0-9a-f]{8}\.tmp$/.test(name) || isStaging(name)
}

/** The weights that a training run has come to in its stage `stage`, counted from 1. */
export function checkpointName(stage: number): string {
	return `checkpoint_${stage}.safetensors`
}

/** Folders in which nets are written before they are moved up. */
function isStaging(name: string): boolean {
	return /^\.[0-9a-f]{8}\.goodnet-tmp$/.test(name)
}

/** Removes what a killed run left beside its journal: half-written files under temporary names. */
export async function removeHalfWritten(folder: string): Promise<void> {
	await removeNames(folder, (names) => names.filter(isHalfWritten))
}

/** Removes everything that an unfinished run may have left. */
export async function removeLeftovers(folder: string): Promise<void> {
	await removeNames(folder, leftoversOf)
}

async function removeNames(folder: string, choose: (names: readonly string[]) => string[]): Promise<void> {
	const names = await readdir(folder).catch(() => [])
	for (const name of choose(names)) await rm(join(folder, name), { recursive: true, force: true })
}

/** The journal in `folder`, or null. @throws InputError `bad-journal` */
export async function readJournal(folder: string): Promise<Journal | null> {
	const path = join(folder, JOURNAL)
	const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null
		throw new InputError('bad-journal', `${path} cannot be read: ${messageOf(error)}`, { path, cause: error })
	})
	if (text === null) return null
	const parsed = Journal.safeParse(parseJson(text))
	if (parsed.success) return parsed.data
	const message = `${path}: expected the journal of an unfinished run, found something else; start anew with --force`
	throw new InputError('bad-journal', message, { path })
}

/** @throws InputError `other-run` naming what differs */
export function checkSameRun(folder: string, earlier: RunIdentity, now: RunIdentity): void {
	const different = Object.keys({ ...earlier, ...now }).filter((key) => earlier[key] !== now[key])
	if (different.length === 0) return
	const path = join(folder, JOURNAL)
	const list = different.map((key) => `${key} was ${earlier[key] ?? 'not given'} and is ${now[key] ?? 'not given'}`)
	const message = `${path} is of another run: ${list.join('; ')}; repeat the command that began it, or start anew with --force`
	throw new InputError('other-run', message, { path })
}
