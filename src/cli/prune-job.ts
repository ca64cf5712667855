/** What `prune`, `demo` and `reproduce` share: one sweep with progress, its record, its folder, its closing words. */
import { ALL_LAYERS, type PruneRun } from '../contracts/prune-run.ts'
import type { ImageSet } from '../data/image-set.ts'
import { pruneAcross } from '../defense/prune/across-layers.ts'
import type { Curve } from '../defense/prune/curve.ts'
import type { PruneLayer } from '../defense/prune/layer.ts'
import { type PruneOptions, prune } from '../defense/prune/prune.ts'
import { repairedRecord, sweepRecord } from '../defense/prune/record.ts'
import type { Model } from '../model/model.ts'
import type { RunJournal } from '../report/journal.ts'
import { writeRunFolder } from '../report/run-folder.ts'
import { closingTable } from '../report/table.ts'
import { verdict } from '../report/verdict.ts'
import { wrapWords } from '../report/wrap.ts'
import { openScratch } from '../scratch.ts'
import type { Clock } from './clock.ts'
import { DEFAULT_COLUMNS, type Io } from './command.ts'
import type { Progress } from './progress.ts'

export interface SweepJob {
	readonly model: Model
	readonly data: {
		readonly valid: ImageSet
		readonly test?: ImageSet | undefined
		readonly poisoned?: ImageSet | undefined
	}
	/** `layer` may be `all`: then the ranking goes across layers. */
	readonly options: Pick<PruneOptions, 'layer' | 'drops' | 'order' | 'rank' | 'u' | 'seed' | 'target'>
}

const STAGE_NAMES = {
	activations: 'rank channels',
	valid: 'clean validation',
	test: 'clean test',
	poisoned: 'poisoned',
	nets: 'nets of the curve',
}

/** Runs the sweep and makes its record. With `isWhole`, the one net that has the whole order pruned is the result. */
export async function runSweep(
	{ model, data, options }: SweepJob,
	isWhole: boolean,
	io: Io,
	progress: Progress,
	clock: Clock,
	journal?: RunJournal,
): Promise<{ sweep: Curve; run: PruneRun }> {
	const { layer, rank = 'mean', ...rest } = options
	// Without it activations are computed a second time.
	const scratch = layer === ALL_LAYERS ? undefined : await openScratch().catch(() => undefined)
	const shared = {
		...rest,
		test: data.test,
		poisoned: data.poisoned,
		checkpoints: journal,
		signal: io.signal,
		onProgress: (stage: keyof typeof STAGE_NAMES, done: number, total: number) =>
			progress.update(STAGE_NAMES[stage], done, total, stage === 'nets' ? 'nets' : 'images'),
	}
	const curve: Promise<Curve> =
		layer === ALL_LAYERS
			? pruneAcross(model, data.valid, { ...shared, rank })
			: prune(model, data.valid, { ...shared, layer, rank: options.rank, scratch })
	const sweep = await curve.finally(() => scratch?.close())
	clock.lap('sweep')
	const facts = clock.facts()
	const run = await sweepRecord(sweep, data, { ...facts, command: journal?.command ?? facts.command })
	const given = { chosenBy: 'given', drop: null, u: null, pruned: sweep.order.length } as const
	return { sweep, run: { ...run, repaired: [...run.repaired, ...(isWhole ? [repairedRecord(sweep, given)] : [])] } }
}

interface FinishedRun {
	readonly model: Model
	readonly layers: readonly PruneLayer[]
	readonly run: PruneRun
	/** Names of the classes by label, where the data told them. */
	readonly classNames?: readonly string[] | null
}

interface FinishOptions {
	readonly output: string
	readonly force: boolean
	readonly json: boolean
	readonly quiet: boolean
	readonly compact?: boolean
	/** The folder holds this run's journal. */
	readonly isResumed?: boolean
}

/** Writes the run folder, prints the table and the verdict (or the record as JSON), and says where everything is. */
export async function finishRun(
	{ model, layers, run, classNames = null }: FinishedRun,
	options: FinishOptions,
	io: Io,
	progress: Progress,
): Promise<number> {
	const complete = await writeRunFolder(options.output, model, layers, run, {
		force: options.force,
		isResumed: options.isResumed ?? false,
		compact: options.compact ?? false,
		classNames,
		signal: io.signal,
		onProgress: (done, total) => progress.update('write nets', done, total, 'nets'),
	})
	progress.finish()
	if (options.json) {
		io.print(JSON.stringify(complete, null, 2))
		return 0
	}
	const width = io.columns ?? DEFAULT_COLUMNS
	io.print(`${closingTable(complete, width)}\n${wrapWords(verdict(complete), width)}`)
	if (!options.quiet) io.stderr.write(`\nwritten to ${options.output}: report.html, run.json, curve.csv and the nets\n`)
	return 0
}
