/** The run folder of `prune`: `run.json`, the report, the curve, and for each drop the repaired net and its GoodNet (design, section 6). */
import { join } from 'node:path'
import type { CompactRecord, PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { compactRepaired } from '../defense/prune/compact.ts'
import type { PruneLayer } from '../defense/prune/layer.ts'
import { pruneUnits, type RepairedModel } from '../defense/prune/repaired.ts'
import { throwIfAborted } from '../errors.ts'
import { writeFileWhole } from '../files.ts'
import type { Model } from '../model/model.ts'
import { onnxFile } from '../model/write-back.ts'
import { chosenSuffix } from './chosen.ts'
import { curveCsv } from './csv.ts'
import { netFiles, writeNet } from './net-files.ts'
import { fillReportedFolder, type ReportedFolderOptions } from './reported-folder.ts'

export interface RunFolderOptions extends ReportedFolderOptions {
	/** Write each repaired net without its pruned channels, too: `compact_X.onnx`. */
	readonly compact?: boolean
}

/**
 * Writes everything, or where the run is stopped or fails, nothing: see `fillReportedFolder`.
 *
 * @param layers that the run's channel numbers count through: one, or those of a run across layers
 * @returns the record with the names and hashes of the files, as `run.json` holds it
 * @throws as `checkOutput` does
 */
export async function writeRunFolder(
	folder: string,
	model: Model,
	layers: readonly PruneLayer[],
	run: PruneRun,
	options: RunFolderOptions = {},
): Promise<PruneRun> {
	const fill = async (staging: string) => {
		const complete = { ...run, repaired: await writeNets(staging, model, layers, run.repaired, options) }
		await writeFileWhole(join(staging, 'curve.csv'), curveCsv(complete))
		return complete
	}
	return fillReportedFolder(folder, fill, options)
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
		const files = await filesOf(model, layers, record, options)
		const sha256 = await writeNet(folder, files.contents)
		written.push({ ...record, files: files.names, sha256, ...(files.compact && { compact: files.compact }) })
		onProgress?.(written.length, records.length)
	}
	return written
}

async function filesOf(model: Model, layers: readonly PruneLayer[], record: RepairedRecord, options: RunFolderOptions) {
	const repaired = pruneUnits(model, layers, record.channels)
	const suffix = chosenSuffix(record)
	const { names, contents, onnx } = await netFiles(model, repaired, `_${suffix}`, options.classNames)
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
