/** Counts along a sweep: integers per step, rates only when somebody prints them. */
import type { CleanCount, GuardedCleanCount, GuardedPoisonedCount, PoisonedCount } from '../../contracts/prune-run.ts'
import type { PoisonedLabels } from '../labels.ts'
import type { Resumable } from './checkpoints.ts'
import type { NetCounts } from './curve.ts'
import type { Judge } from './sweep.ts'

/**
 * Counts on clean images. `net` is the pruned net of a step, `guarded` the GoodNet of B and that net: it answers where both agree, and
 * a rejected image is not correct.
 */
export class CleanTally implements Judge, Resumable {
	private readonly correct: Uint32Array
	private readonly guardedCorrect: Uint32Array
	private readonly rejected: Uint32Array
	private readonly labels: Int32Array | null
	private readonly total: number

	/** @param labels true labels, or null: then B's own answers count as correct */
	constructor(steps: number, total: number, labels: Int32Array | null) {
		this.correct = new Uint32Array(steps)
		this.guardedCorrect = new Uint32Array(steps)
		this.rejected = new Uint32Array(steps)
		this.labels = labels
		this.total = total
	}

	judge(step: number, image: number, label: number, original: number): void {
		const truth = this.labels ? this.labels[image]! : original
		if (label !== original) this.rejected[step]!++
		if (label !== truth) return
		this.correct[step]!++
		if (label === original) this.guardedCorrect[step]!++
	}

	net(step: number): CleanCount {
		return { correct: this.correct[step]!, total: this.total }
	}

	state(): number[] {
		return this.arrays().flatMap((counts) => [...counts])
	}

	restore(state: readonly number[]): void {
		fillAll(this.arrays(), state)
	}

	private arrays(): readonly Uint32Array[] {
		return [this.correct, this.guardedCorrect, this.rejected]
	}

	guarded(step: number): GuardedCleanCount {
		return { correct: this.guardedCorrect[step]!, rejected: this.rejected[step]!, total: this.total }
	}
}

/** Counts on poisoned images; images whose true class is the target are left out where true labels are known. */
export class PoisonedTally implements Judge, Resumable {
	private readonly hits: Uint32Array
	private readonly recovered: Uint32Array
	private readonly guardedHits: Uint32Array
	private readonly guardedRecovered: Uint32Array
	private readonly rejected: Uint32Array
	private readonly target: number
	private readonly trueLabels: Int32Array | null
	/** Images that count. */
	readonly counted: number

	/** Without true labels (the set carries the target's only) all images count, and none is known to be recovered. */
	constructor(steps: number, total: number, { target, trueLabels }: PoisonedLabels) {
		this.hits = new Uint32Array(steps)
		this.recovered = new Uint32Array(steps)
		this.guardedHits = new Uint32Array(steps)
		this.guardedRecovered = new Uint32Array(steps)
		this.rejected = new Uint32Array(steps)
		this.target = target
		this.trueLabels = trueLabels
		this.counted = trueLabels ? trueLabels.filter((label) => label !== target).length : total
	}

	judge(step: number, image: number, label: number, original: number): void {
		const truth = this.trueLabels?.[image]
		if (truth === this.target) return
		const isAnswered = label === original
		if (!isAnswered) this.rejected[step]!++
		if (label === this.target) {
			this.hits[step]!++
			if (isAnswered) this.guardedHits[step]!++
		} else if (label === truth) {
			this.recovered[step]!++
			if (isAnswered) this.guardedRecovered[step]!++
		}
	}

	net(step: number): PoisonedCount {
		return { hits: this.hits[step]!, recovered: this.orUnknown(this.recovered[step]!), total: this.counted }
	}

	state(): number[] {
		return this.arrays().flatMap((counts) => [...counts])
	}

	restore(state: readonly number[]): void {
		fillAll(this.arrays(), state)
	}

	private arrays(): readonly Uint32Array[] {
		return [this.hits, this.recovered, this.guardedHits, this.guardedRecovered, this.rejected]
	}

	guarded(step: number): GuardedPoisonedCount {
		return {
			hits: this.guardedHits[step]!,
			recovered: this.orUnknown(this.guardedRecovered[step]!),
			rejected: this.rejected[step]!,
			total: this.counted,
		}
	}

	private orUnknown(count: number): number | null {
		return this.trueLabels ? count : null
	}
}

/** Fills arrays of one length from their values, one array behind the other. */
function fillAll(arrays: readonly Uint32Array[], values: readonly number[]): void {
	let begin = 0
	for (const array of arrays) {
		array.set(values.slice(begin, begin + array.length))
		begin += array.length
	}
}

/** One for each set of a run. */
export interface Tallies {
	readonly valid: CleanTally
	readonly test: CleanTally | null
	readonly poisoned: PoisonedTally | null
}

/** What they say of one step. */
export function countsAt(step: number, { valid, test, poisoned }: Tallies): NetCounts {
	return {
		valid: valid.net(step),
		test: test?.net(step) ?? null,
		poisoned: poisoned?.net(step) ?? null,
		goodnet: {
			valid: valid.guarded(step),
			test: test?.guarded(step) ?? null,
			poisoned: poisoned?.guarded(step) ?? null,
		},
	}
}
