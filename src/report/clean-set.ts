/** Which clean set a report speaks of, and in what words. */
import type { CleanCount, DataRecord, GuardedCleanCount, PruneRun, StepRecord } from '../contracts/prune-run.ts'

/** The clean set that speaks for a run: the test set when given (nothing was chosen on it), else the validation set. */
export interface CleanSet {
	readonly key: 'test' | 'valid'
	readonly record: DataRecord
	/** What its counts mean: `clean accuracy`, or `agreement with B` where the set had no labels. */
	readonly quantity: string
	/** The same with the set's name: `clean test accuracy`, `agreement with B on validation images`. */
	readonly phrase: string
}

/** The clean set of `run` by which its nets are described, null where none was given. */
export function cleanSetOf(run: { readonly data: Pick<PruneRun['data'], 'valid' | 'test'> }): CleanSet | null {
	if (run.data.test !== null) return describeSet('test', run.data.test)
	return run.data.valid === null ? null : describeSet('valid', run.data.valid)
}

/** What the counts of set `key` mean, and its name in prose. */
export function describeSet(key: CleanSet['key'], record: DataRecord): CleanSet {
	const name = key === 'test' ? 'test' : 'validation'
	return record.labels === 'true'
		? { key, record, quantity: 'clean accuracy', phrase: `clean ${name} accuracy` }
		: { key, record, quantity: 'agreement with B', phrase: `agreement with B on ${name} images` }
}

/** The count that `nets` holds for the clean set of the report, null where it was not measured. */
export function cleanCount<C extends CleanCount | GuardedCleanCount>(
	nets: { readonly valid: C | null; readonly test: C | null },
	set: CleanSet | null,
): C | null {
	return set === null ? null : nets[set.key]
}

/** B as it came: the step with nothing pruned; undefined where it was not measured. */
export function baselineOf(run: PruneRun): StepRecord | undefined {
	return run.steps.find((step) => step.pruned === 0)
}
