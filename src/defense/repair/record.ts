/** A repair as the record that `run.json` keeps: plain data, counts only. */
import type { DataRecord } from '../../contracts/prune-run.ts'
import type { RepairRun, TwinRecord } from '../../contracts/repair-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { copyOfLists } from '../../json.ts'
import { environmentRecord } from '../../model/environment.ts'
import type { Model } from '../../model/model.ts'
import { copyPreprocessing, dataRecord, modelRecord, poisonedRecord, type RunFacts } from '../prune/record.ts'
import type { CleanSets } from './data.ts'
import type { RepairData, RepairMethod } from './method.ts'
import type { RepairResult } from './repair.ts'

/** The sets of a repair, as they were opened; what they were divided into is in `RepairData`. */
export interface RepairSets extends CleanSets {
	readonly test?: ImageSet | undefined
	readonly poisoned?: ImageSet | undefined
}

/** What a record is made of. */
export interface FinishedRepair {
	readonly model: Model
	readonly method: RepairMethod
	readonly seed: number
	readonly sets: RepairSets
	readonly data: RepairData
	readonly result: RepairResult
	/** The same repair of a net without a backdoor. */
	readonly twin?: { readonly model: Model; readonly result: RepairResult } | undefined
}

/** The record of a repair; `files` of each repaired net are still null. */
export async function repairRecord(
	{ model, method, seed, sets, data, result, twin }: FinishedRepair,
	{ command, goodnetVersion, seconds }: RunFacts,
): Promise<RepairRun> {
	const { poison, before, parameters, isOracle } = result
	return {
		schema: 'goodnet/repair@1',
		command,
		model: modelRecord(model),
		preprocessing: copyPreprocessing(model),
		data: {
			...(await cleanRecords(sets, data)),
			unlabeled: sets.unlabeled ? await unlabeledRecord(sets.unlabeled) : null,
			test: sets.test ? await dataRecord(sets.test) : null,
			poisoned: sets.poisoned && poison ? await poisonedRecord(sets.poisoned, poison) : null,
		},
		method: { name: method.name, parameters: copyOfLists(parameters), seed, isOracle },
		before,
		repaired: netRecords(result),
		findings: result.findings,
		twin: twin ? twinRecord(twin.model, twin.result) : null,
		environment: environmentRecord(model.runtime, goodnetVersion),
		seconds,
	}
}

/** Parts of one set have its hash, and a path that says which part they are. */
async function cleanRecords(
	{ data: whole, tuning, valid }: CleanSets,
	{ tuning: learned, valid: chosen }: RepairData,
): Promise<Pick<RepairRun['data'], 'tuning' | 'valid'>> {
	if (!whole) {
		return { tuning: tuning ? await dataRecord(tuning) : null, valid: valid ? await dataRecord(valid) : null }
	}
	const record = await dataRecord(whole)
	const part = (images: number): DataRecord => ({ ...record, images, path: `${images} of ${record.path}` })
	if (!learned) return { tuning: null, valid: record }
	return { tuning: part(learned.count), valid: chosen && part(chosen.count) }
}

async function unlabeledRecord(set: ImageSet) {
	const { labels: _, ...record } = await dataRecord(set)
	return record
}

function netRecords({ repaired }: RepairResult): RepairRun['repaired'] {
	return repaired.map(({ point: { name, chosenBy }, after, goodnet }) => ({
		...{ name, chosenBy, files: null, sha256: {} },
		...{ after, goodnet },
	}))
}

function twinRecord({ source: { path, sha256 } }: Model, result: RepairResult): TwinRecord {
	const { before, findings } = result
	return { path, sha256, before, repaired: netRecords(result), findings }
}
