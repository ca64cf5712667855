/** The folder that the results of a run go to: filled whole, or left as it was. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, lstat, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { GoodnetError, InputError, throwIfAborted } from '../errors.ts'
import { exists, writeError, writeFileWhole } from '../files.ts'
import { parseJson } from '../json.ts'
import { JOURNAL, leftoversOf, removeLeftovers } from './journal.ts'

export interface OutputFolderOptions {
	/** Overwrite files of an earlier run in the same folder. */
	readonly force?: boolean
	/** The folder may hold an unfinished run, which this one goes on with. */
	readonly isResumed?: boolean
	readonly signal?: AbortSignal | undefined
}

/**
 * Can the results go there? Asked before the work, since the answer may be no.
 *
 * @throws InputError `output-not-empty` where the folder holds something and `force` is not set, `unfinished-run` where that is a run
 *   which `isResumed` would go on with, `not-a-folder`, `not-writable`
 */
export async function checkOutput(
	folder: string,
	{ force = false, isResumed = false }: OutputFolderOptions = {},
): Promise<void> {
	const found = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
		if (error.code === 'ENOENT') return []
		throw new InputError('not-a-folder', `${folder}: expected a folder for the results, found something else`, {
			path: folder,
		})
	})
	const isUnfinished = found.includes(JOURNAL)
	if (isUnfinished && !force && !isResumed) {
		const message = `${folder} holds an unfinished run; add --resume to go on with it, or --force to start anew`
		throw new InputError('unfinished-run', message, { path: folder })
	}
	const leftovers = leftoversOf(found)
	const others = found.filter((name) => !leftovers.includes(name))
	if (others.length > 0 && !force && !isUnfinished) {
		const names = others.slice(0, 3).join(', ') + (others.length > 3 ? ', …' : '')
		const message = `${folder}: expected a new or empty folder, found ${names} in it; name another with -o, or add --force to overwrite`
		throw new InputError('output-not-empty', message, { path: folder })
	}
	const place = await nearestExisting(resolve(folder))
	await access(place, constants.W_OK).catch((error: unknown) => {
		throw writeError(folder, error)
	})
}

async function nearestExisting(path: string): Promise<string> {
	return (await exists(path)) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

/** A run folder's own record, which names the files that belong to it and is written last. */
export interface RunRecordFile {
	/** `run.json`, `attack.json`. */
	readonly name: string
	readonly content: string
}

/**
 * Lets `fill` write everything into a hidden folder inside `folder`, then moves it up, the record last: a run that is stopped or fails leaves
 * nothing behind, and a folder with its record is complete.
 *
 * @param fill writes into the folder that it is given, and returns the record
 * @throws as `checkOutput` does, and what `fill` throws
 */
export async function fillOutputFolder(
	folder: string,
	fill: (staging: string) => Promise<RunRecordFile>,
	options: OutputFolderOptions = {},
): Promise<void> {
	await checkOutput(folder, options)
	const isNew = !(await exists(folder))
	const staging = join(folder, `.${randomUUID().slice(0, 8)}.goodnet-tmp`)
	try {
		await mkdir(staging, { recursive: true })
		const { name, content } = await fill(staging)
		await writeFileWhole(join(staging, name), content)
		throwIfAborted(options.signal)
		await removeEarlierRun(folder, name)
		await moveUp(staging, folder, name)
		await removeLeftovers(folder)
	} catch (error) {
		await rm(staging, { recursive: true, force: true })
		if (isNew) await rm(folder, { recursive: true, force: true })
		throw error instanceof GoodnetError ? error : writeError(folder, error)
	}
}

/** Records list the SHA-256 of their files by name, here or there. */
const HashedFiles = z.record(z.string(), z.string())

function filesNamedIn(record: unknown): string[] {
	if (record === null || typeof record !== 'object') return []
	return Object.entries(record).flatMap(([key, value]) => {
		const hashes = key === 'sha256' ? HashedFiles.safeParse(value).data : undefined
		return hashes ? Object.keys(hashes) : filesNamedIn(value)
	})
}

/** What an earlier run wrote here, as its own record tells; other files stay. */
async function removeEarlierRun(folder: string, record: string): Promise<void> {
	const text = await readFile(join(folder, record), 'utf8').catch(() => null)
	if (text === null) return
	// Before anything else goes: a folder with its record is complete.
	await rm(join(folder, record), { force: true })
	const nets = filesNamedIn(parseJson(text))
	// The names come from a file: only plain names in this very folder, or in one of its folders, are taken at their word.
	for (const name of nets.filter(isOwnName)) {
		if (name.includes('/') && (await isLink(join(folder, dirname(name))))) continue
		await rm(join(folder, name), { force: true })
		// The folder of a net of several files goes when it is empty, and stays where somebody put something into it.
		if (name.includes('/')) await rmdir(join(folder, dirname(name))).catch(() => {})
	}
}

/** A folder that is a link may lead anywhere. */
async function isLink(path: string): Promise<boolean> {
	return lstat(path).then(
		(info) => info.isSymbolicLink(),
		() => false,
	)
}

function isOwnName(name: string): boolean {
	const parts = name.split('/')
	return parts.length <= 2 && parts.every((part) => part !== '' && !part.startsWith('.') && basename(part) === part)
}

async function moveUp(staging: string, folder: string, record: string): Promise<void> {
	const found = await readdir(staging, { recursive: true, withFileTypes: true })
	const files = found.filter((each) => each.isFile()).map((each) => relative(staging, join(each.parentPath, each.name)))
	const inOrder = [...files.filter((name) => name !== record), record]
	for (const name of inOrder) {
		await mkdir(dirname(join(folder, name)), { recursive: true })
		await rename(join(staging, name), join(folder, name))
	}
	await rm(staging, { recursive: true })
}
