/** The run folder: `run.json`, the report, the curve, and for each drop the repaired net and its GoodNet (design, section 6). */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, lstat, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { type CompactRecord, PruneRun, type RepairedRecord } from '../contracts/prune-run.ts'
import { GoodNet } from '../defense/goodnet.ts'
import { compactRepaired } from '../defense/prune/compact.ts'
import type { PruneLayer } from '../defense/prune/layer.ts'
import { pruneUnits, type RepairedModel } from '../defense/prune/repaired.ts'
import { GoodnetError, InputError, throwIfAborted } from '../errors.ts'
import { exists, sha256Of, writeError, writeFilesWhole, writeFileWhole } from '../files.ts'
import { parseJson } from '../json.ts'
import type { Model } from '../model/model.ts'
import { placedFiles, sourceName } from '../model/save.ts'
import { onnxFile, sourceFilesOrNull } from '../model/write-back.ts'
import { chosenSuffix } from './chosen.ts'
import { curveCsv } from './csv.ts'
import { isLeftover, JOURNAL } from './journal.ts'

export interface RunFolderOptions {
	/** Overwrite files of an earlier run in the same folder. */
	readonly force?: boolean
	/** The folder may hold an unfinished run, which this one goes on with. */
	readonly isResumed?: boolean
	readonly signal?: AbortSignal | undefined
	/** Names of the classes by label, for the GoodNets' metadata. */
	readonly classNames?: readonly string[] | null
	/** Write each repaired net without its pruned channels, too: `compact_X.onnx`. */
	readonly compact?: boolean
	/** Told after every net whose files are written. */
	readonly onProgress?: (done: number, total: number) => void
}

/**
 * Can the results go there? Asked before the work, since the answer may be no.
 *
 * @throws InputError `output-not-empty` where the folder holds something and `force` is not set, `unfinished-run` where that is a run
 *   which `isResumed` would go on with, `not-a-folder`, `not-writable`
 */
export async function checkOutput(
	folder: string,
	{ force = false, isResumed = false }: RunFolderOptions = {},
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
	const others = found.filter((name) => !isLeftover(name))
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

/**
 * Writes everything into a hidden folder inside `folder`, then moves it up, `run.json` last: a run that is stopped or fails leaves
 * nothing behind, and a folder with a `run.json` is complete.
 *
 * @param layers that the run's channel numbers count through: one, or those of a run across layers
 * @returns the record with the names and hashes of the files, as `run.json` holds it
 */
export async function writeRunFolder(
	folder: string,
	model: Model,
	layers: readonly PruneLayer[],
	run: PruneRun,
	options: RunFolderOptions = {},
): Promise<PruneRun> {
	await checkOutput(folder, options)
	const isNew = !(await exists(folder))
	const staging = join(folder, `.${randomUUID().slice(0, 8)}.goodnet-tmp`)
	try {
		await mkdir(staging, { recursive: true })
		const complete = { ...run, repaired: await writeNets(staging, model, layers, run.repaired, options) }
		await writeFileWhole(join(staging, 'curve.csv'), curveCsv(complete))
		// Loaded when there is something to draw: the plotting library takes 36 MB, and most commands draw nothing.
		const { reportHtml } = await import('./html.ts')
		await writeFileWhole(join(staging, 'report.html'), reportHtml(complete))
		await writeFileWhole(join(staging, 'run.json'), `${JSON.stringify(complete, null, '\t')}\n`)
		throwIfAborted(options.signal)
		await removeEarlierRun(folder)
		await moveUp(staging, folder)
		await rm(join(folder, JOURNAL), { force: true })
		return complete
	} catch (error) {
		await rm(staging, { recursive: true, force: true })
		if (isNew) await rm(folder, { recursive: true, force: true })
		throw error instanceof GoodnetError ? error : writeError(folder, error)
	}
}

/** What an earlier run wrote here, as its own record tells; other files stay. */
async function removeEarlierRun(folder: string): Promise<void> {
	const text = await readFile(join(folder, 'run.json'), 'utf8').catch(() => null)
	if (text === null) return
	// Before anything else goes: a folder with a `run.json` is complete.
	await rm(join(folder, 'run.json'), { force: true })
	const earlier = PruneRun.safeParse(parseJson(text))
	const nets = earlier.success ? earlier.data.repaired.flatMap(({ sha256 }) => Object.keys(sha256)) : []
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

async function moveUp(staging: string, folder: string): Promise<void> {
	const found = await readdir(staging, { recursive: true, withFileTypes: true })
	const files = found.filter((each) => each.isFile()).map((each) => relative(staging, join(each.parentPath, each.name)))
	const inOrder = [...files.filter((name) => name !== 'run.json'), 'run.json']
	for (const name of inOrder) {
		await mkdir(dirname(join(folder, name)), { recursive: true })
		await rename(join(staging, name), join(folder, name))
	}
	await rm(staging, { recursive: true })
}

async function writeNets(
	folder: string,
	model: Model,
	layers: readonly PruneLayer[],
	records: readonly RepairedRecord[],
	options: RunFolderOptions,
): Promise<RepairedRecord[]> {
	const { signal, onProgress } = options
	const written: RepairedRecord[] = []
	for (const record of records) {
		throwIfAborted(signal)
		const files = await netFiles(model, layers, record, options)
		const sha256: Record<string, string> = {}
		for (const [name, bytes] of files.contents) {
			await writeFilesWhole(new Map([[join(folder, name), bytes]]))
			sha256[name] = sha256Of(bytes)
		}
		written.push({ ...record, files: files.names, sha256, ...(files.compact && { compact: files.compact }) })
		onProgress?.(written.length, records.length)
	}
	return written
}

async function netFiles(
	model: Model,
	layers: readonly PruneLayer[],
	record: RepairedRecord,
	options: RunFolderOptions,
) {
	const { classNames = null } = options
	const repaired = pruneUnits(model, layers, record.channels)
	const suffix = chosenSuffix(record)
	const stem = `repaired_${suffix}`
	const source = await sourceFilesOrNull(repaired)
	const names = {
		source: source && sourceName(model, stem, source),
		onnx: `${stem}.onnx`,
		goodnet: `goodnet_${suffix}.onnx`,
	}
	// Of an ONNX model in one file both names are one, and so is the file.
	const onnx = source && names.source === names.onnx ? source.main : onnxFile(repaired)
	const goodnet = GoodNet.of(model, repaired, { repairedSha256: sha256Of(onnx), classNames })
	const contents = new Map([
		...(source && names.source ? placedFiles(names.source, source) : []),
		[names.onnx, onnx],
		[names.goodnet, onnxFile(goodnet)],
	])
	const compact = options.compact ? await compactFile(repaired, layers, onnx, `compact_${suffix}.onnx`, options) : null
	if (compact?.bytes) contents.set(compact.name, compact.bytes)
	return { names, contents, compact: compact?.record }
}

/** The net without its pruned channels, as a file beside `onnx`, the one in which they are zero. */
async function compactFile(
	repaired: RepairedModel,
	layers: readonly PruneLayer[],
	onnx: Uint8Array,
	name: string,
	{ signal }: RunFolderOptions,
): Promise<{ readonly name: string; readonly bytes: Uint8Array | null; readonly record: CompactRecord }> {
	const { model, ...facts } = await compactRepaired(repaired, layers, { signal })
	const bytes = model && onnxFile(model)
	const sizes = { before: onnx.length, after: (bytes ?? onnx).length }
	return { name, bytes, record: { ...facts, file: bytes && name, bytes: sizes } }
}
