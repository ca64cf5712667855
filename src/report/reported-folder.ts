/** A run folder with its report: what `prune` and `repair` share. */
import { join } from 'node:path'
import { writeFileWhole } from '../files.ts'
import { fillOutputFolder, type OutputFolderOptions } from './output-folder.ts'
import type { AnyRun } from './reported-run.ts'

export interface ReportedFolderOptions extends OutputFolderOptions {
	/** Names of the classes by label, for the GoodNets' metadata. */
	readonly classNames?: readonly string[] | null
	/** Told after every net whose files are written. */
	readonly onProgress?: (done: number, total: number) => void
}

/**
 * Writes what `fill` writes, the report and `run.json`; or where the run is stopped or fails, nothing: see `fillOutputFolder`.
 *
 * @param fill writes the nets into the folder that it is given, and returns the record with the names and hashes of their files
 * @returns that record, as `run.json` holds it
 * @throws as `checkOutput` does, and what `fill` throws
 */
export async function fillReportedFolder<Run extends AnyRun>(
	folder: string,
	fill: (staging: string) => Promise<Run>,
	options: OutputFolderOptions,
): Promise<Run> {
	let complete: Run | undefined
	const fillAll = async (staging: string) => {
		complete = await fill(staging)
		// Loaded when there is something to draw: the plotting library takes 36 MB, and most commands draw nothing.
		const { reportHtml } = await import('./html.ts')
		await writeFileWhole(join(staging, 'report.html'), reportHtml(complete))
		return { name: 'run.json', content: `${JSON.stringify(complete, null, '\t')}\n` }
	}
	await fillOutputFolder(folder, fillAll, options)
	// `fillAll` ran, or it threw.
	return complete!
}
