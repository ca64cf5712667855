/** The run folder of `repair`: `run.json`, the report, and for each repaired net its files and its GoodNet. */
import { join } from 'node:path'
import type { RepairedNetRecord, RepairRun } from '../contracts/repair-run.ts'
import type { RepairedPoint } from '../defense/repair/method.ts'
import { throwIfAborted } from '../errors.ts'
import { writeFileWhole } from '../files.ts'
import type { Model } from '../model/model.ts'
import { netFiles, writeNet } from './net-files.ts'
import { fillOutputFolder, type OutputFolderOptions } from './output-folder.ts'

export interface RepairFolderOptions extends OutputFolderOptions {
	/** Names of the classes by label, for the GoodNets' metadata. */
	readonly classNames?: readonly string[] | null
	/** Told after every net whose files are written. */
	readonly onProgress?: (done: number, total: number) => void
}

/**
 * Writes everything, or where the run is stopped or fails, nothing: see `fillOutputFolder`.
 *
 * @param badnet B, as it came
 * @param points the repaired nets, one for each of the run's records and in their order
 * @returns the record with the names and hashes of the files, as `run.json` holds it
 * @throws as `checkOutput` does
 */
export async function writeRepairFolder(
	folder: string,
	badnet: Model,
	points: readonly RepairedPoint[],
	run: RepairRun,
	options: RepairFolderOptions = {},
): Promise<RepairRun> {
	let complete = run
	const fill = async (staging: string) => {
		complete = { ...run, repaired: await writeNets(staging, badnet, points, run.repaired, options) }
		// Loaded when there is something to draw, as in `writeRunFolder`.
		const { reportHtml } = await import('./html.ts')
		await writeFileWhole(join(staging, 'report.html'), reportHtml(complete))
		return { name: 'run.json', content: `${JSON.stringify(complete, null, '\t')}\n` }
	}
	await fillOutputFolder(folder, fill, options)
	return complete
}

async function writeNets(
	folder: string,
	badnet: Model,
	points: readonly RepairedPoint[],
	records: readonly RepairedNetRecord[],
	{ classNames = null, signal, onProgress }: RepairFolderOptions,
): Promise<RepairedNetRecord[]> {
	const written: RepairedNetRecord[] = []
	for (const [i, record] of records.entries()) {
		throwIfAborted(signal)
		const suffix = record.name === '' ? '' : `_${record.name}`
		const { names, contents } = await netFiles(badnet, points[i]!.model, suffix, classNames)
		written.push({ ...record, files: names, sha256: await writeNet(folder, contents) })
		onProgress?.(written.length, records.length)
	}
	return written
}
