/** The run folder of `repair`: `run.json`, the report, and for each repaired net its files and its GoodNet. */
import type { RepairedNetRecord, RepairRun } from '../contracts/repair-run.ts'
import type { RepairedPoint } from '../defense/repair/method.ts'
import { throwIfAborted } from '../errors.ts'
import type { Model } from '../model/model.ts'
import { netFiles, writeNet } from './net-files.ts'
import { fillReportedFolder, type ReportedFolderOptions } from './reported-folder.ts'

/**
 * Writes everything, or where the run is stopped or fails, nothing: see `fillReportedFolder`.
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
	options: ReportedFolderOptions = {},
): Promise<RepairRun> {
	const fill = async (staging: string) => {
		return { ...run, repaired: await writeNets(staging, badnet, points, run.repaired, options) }
	}
	return fillReportedFolder(folder, fill, options)
}

async function writeNets(
	folder: string,
	badnet: Model,
	points: readonly RepairedPoint[],
	records: readonly RepairedNetRecord[],
	{ classNames = null, signal, onProgress }: ReportedFolderOptions,
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
