/** The run folder: `run.json`, the report, the curve, and for each drop the repaired net and its GoodNet (design, section 6). */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { GoodNet } from '../defense/goodnet.ts'
import type { PruneLayer } from '../defense/prune/layer.ts'
import { pruneChannels } from '../defense/prune/repaired.ts'
import { InputError, throwIfAborted } from '../errors.ts'
import { sha256Of, writeError, writeFileWhole } from '../files.ts'
import { canWriteBack, EXTENSIONS, modelFile } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import { curveCsv } from './csv.ts'
import { formatDrop } from './format.ts'
import { reportHtml } from './html.ts'

export interface RunFolderOptions {
	/** Overwrite files of an earlier run in the same folder. */
	readonly force?: boolean
	readonly signal?: AbortSignal | undefined
	/** Told after every net whose files are written. */
	readonly onProgress?: (done: number, total: number) => void
}

/** @throws InputError `output-not-empty` where the folder holds something and `force` is not set, `not-a-folder` */
export async function checkOutput(folder: string, { force = false }: RunFolderOptions = {}): Promise<void> {
	const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return []
		throw new InputError('not-a-folder', `${folder}: expected a folder for the results, found something else`, {
			path: folder,
		})
	})
	if (found.length > 0 && !force) {
		const names = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
		const message = `${folder}: expected a new or empty folder, found ${names} in it; name another with -o, or add --force to overwrite`
		throw new InputError('output-not-empty', message, { path: folder })
	}
}

/**
 * Writes everything into a folder beside `folder`, then moves it into place: a run that is stopped or fails leaves nothing behind.
 *
 * @returns the record with the names and hashes of the files, as `run.json` holds it
 */
export async function writeRunFolder(
	folder: string,
	model: Model,
	layer: PruneLayer,
	run: PruneRun,
	options: RunFolderOptions = {},
): Promise<PruneRun> {
	await checkOutput(folder, options)
	const target = resolve(folder)
	const staging = join(dirname(target), `.${randomUUID().slice(0, 8)}.goodnet-tmp`)
	try {
		await mkdir(staging, { recursive: true })
		const complete = { ...run, repaired: await writeNets(staging, model, layer, run.repaired, options) }
		await writeFileWhole(join(staging, 'curve.csv'), curveCsv(complete))
		await writeFileWhole(join(staging, 'report.html'), reportHtml(complete))
		await writeFileWhole(join(staging, 'run.json'), `${JSON.stringify(complete, null, '\t')}\n`)
		throwIfAborted(options.signal)
		await moveInto(staging, target)
		return complete
	} catch (error) {
		await rm(staging, { recursive: true, force: true })
		throw (error as NodeJS.ErrnoException).code?.startsWith('E') ? writeError(folder, error) : error
	}
}

async function writeNets(
	folder: string,
	model: Model,
	layer: PruneLayer,
	records: readonly RepairedRecord[],
	{ signal, onProgress }: RunFolderOptions,
): Promise<RepairedRecord[]> {
	const written: RepairedRecord[] = []
	for (const record of records) {
		throwIfAborted(signal)
		const files = await netFiles(model, layer, record)
		const sha256: Record<string, string> = {}
		for (const [name, bytes] of files.contents) {
			await writeFileWhole(join(folder, name), bytes)
			sha256[name] = sha256Of(bytes)
		}
		written.push({ ...record, files: files.names, sha256 })
		onProgress?.(written.length, records.length)
	}
	return written
}

async function netFiles(model: Model, layer: PruneLayer, { drop, channels }: RepairedRecord) {
	const repaired = pruneChannels(model, layer, channels)
	const suffix = drop === null ? `${channels.length}_channels` : formatDrop(drop)
	const extension = EXTENSIONS[model.source.format]
	const names = {
		source: canWriteBack(repaired) ? `repaired_${suffix}.${extension}` : null,
		onnx: `repaired_${suffix}.onnx`,
		goodnet: `goodnet_${suffix}.onnx`,
	}
	const contents = new Map([
		[names.onnx, await modelFile(repaired, 'onnx')],
		[names.goodnet, await modelFile(GoodNet.of(model, repaired), 'onnx')],
	])
	if (names.source !== null) contents.set(names.source, await modelFile(repaired, model.source.format))
	return { names, contents }
}

/** One rename where the folder is new; file by file where an earlier run is overwritten. */
async function moveInto(staging: string, target: string): Promise<void> {
	await mkdir(target, { recursive: true })
	const existing = await readdir(target)
	if (existing.length === 0) {
		await rmdir(target)
		await rename(staging, target)
		return
	}
	for (const name of await readdir(staging)) await rename(join(staging, name), join(target, name))
	await rmdir(staging)
}
