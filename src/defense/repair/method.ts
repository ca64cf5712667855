/** What a repair is: a function from a net and clean data to repaired nets, beside a table of what can be set. */
import type { RepairFindings, RepairMethodName } from '../../contracts/repair-run.ts'
import type { ImageSet, ImageSize } from '../../data/image-set.ts'
import type { Model } from '../../model/model.ts'
import type { TrainingImages } from '../../train/batches.ts'
import type { CheckpointStore } from '../../train/checkpoint.ts'
import type { PruningRecord } from '../prune/repaired.ts'
import type { ParameterTable, Values } from './parameters.ts'

/** Pictures in memory whose classes nobody needs to know. */
export type UnlabeledImages = ImageSize & {
	/** `[count, height, width, channels]`, 0..255. */
	readonly pixels: Uint8Array
	readonly count: number
}

/** What a repair may look at: clean images only. A method is given at least what it says that it needs. */
export interface RepairData {
	/** Labelled images that weights may learn from. */
	readonly tuning: TrainingImages | null
	/** Labelled images that choose the operating point; none of them is in `tuning`. */
	readonly valid: ImageSet | null
	/** Further pictures: those given as such, and where there are none, those of `tuning`. */
	readonly unlabeled: UnlabeledImages | null
}

export interface RepairContext<Table extends ParameterTable = ParameterTable> {
	readonly parameters: Values<Table>
	/** Names every random stream. */
	readonly seed: number
	/** Where training stage `stage`, counted from 1, keeps its checkpoints; default: nowhere. */
	readonly checkpoints?: ((stage: number) => CheckpointStore) | undefined
	readonly signal?: AbortSignal | undefined
	/** @param stage in words, for a progress bar */
	readonly onProgress?: ((stage: string, done: number, total: number) => void) | undefined
}

/** One repaired net. */
export interface RepairedPoint {
	/** Ends its files' names where a method hands out several nets: `2`, `elbow`; else empty. */
	readonly name: string
	/** By what it was chosen, in words: `last of 20 epochs`. */
	readonly chosenBy: string
	/** With `pruning` where units were silenced; see `PruningRecord`. */
	readonly model: Model & { readonly pruning?: readonly PruningRecord[] }
}

export interface Repair {
	readonly points: readonly RepairedPoint[]
	readonly findings: RepairFindings
}

export const NO_FINDINGS: RepairFindings = { history: null, suspects: null, candidates: null }

export interface RepairMethod<Table extends ParameterTable = ParameterTable> {
	readonly name: RepairMethodName
	/** One sentence with its source, for help and docs. */
	readonly summary: string
	/** Which of `RepairData` it cannot do without. */
	readonly needs: readonly (keyof RepairData)[]
	readonly parameters: Table
	/** Is it told something about the trigger or its label by these parameters? Default: it never is. */
	readonly isOracle?: (parameters: Values<Table>) => boolean
	/**
	 * The given model stays as it was.
	 * @throws UnsupportedError `not-applicable` for a net that lacks what the method works on; InputError `diverged`
	 */
	repair(model: Model, data: RepairData, context: RepairContext<Table>): Promise<Repair>
}

/** Lets a table of methods forget each one's parameters, after making sure that method and table agree on them. */
export function defineMethod<Table extends ParameterTable>(method: RepairMethod<Table>): RepairMethod {
	// A method is only ever called with values that its own table made (`parameterValues`).
	return method as unknown as RepairMethod
}
