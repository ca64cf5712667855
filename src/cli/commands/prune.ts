/** `goodnet prune`: the defense on somebody's own net and data. */
import { PruneOptions } from '../../contracts/cli-options.ts'
import { ALL_LAYERS } from '../../contracts/prune-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { checkInput } from '../../defense/diagnose.ts'
import { checkAcross } from '../../defense/prune/across-layers.ts'
import { checkBlind, pruneBlindly as pruneAboveThreshold } from '../../defense/prune/blind.ts'
import { chooseLayer } from '../../defense/prune/layer.ts'
import { checkThreshold } from '../../defense/prune/rank/rank-layer.ts'
import { blindRecord } from '../../defense/prune/record.ts'
import { checkChannels } from '../../defense/prune/repaired.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { checkOutput } from '../../report/output-folder.ts'
import { type Clock, startClock } from '../clock.ts'
import { defineCommand, type Io } from '../command.ts'
import { DATA_PATHS, MODEL_ARGUMENT, MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { readOrder } from '../order-file.ts'
import { createProgress, type Progress } from '../progress.ts'
import { finishRun, runSweep, type SweepJob } from '../prune-job.ts'
import { isPermanent, openRunJournal } from '../resume.ts'

export const prune = defineCommand<PruneOptions>({
	name: 'prune',
	summary: 'prune channels until clean accuracy drops, and build the GoodNet',
	arguments: [['<model>', MODEL_ARGUMENT]],
	flags: [
		[
			'--valid <path>',
			`clean images that rank the channels and choose the nets; without labels, accuracy is agreement with the net; ${DATA_PATHS}`,
		],
		['--test <path>', 'clean images that are only measured'],
		[
			'--poisoned <path>',
			'triggered images that are only measured, labelled with the target or, with --target, with their true classes',
		],
		['--target <label>', 'the attacker\u2019s label, counted from 0'],
		[
			'--layer <name>',
			'layer to prune (default: the last pooling layer; see goodnet inspect), or all: one order across layers, with --rank clp, bnp or random',
		],
		['--rank <name>', 'order of pruning: mean, max, apoz, l1, clp, bnp or random (default: mean)'],
		[
			'--u <number>',
			'with clp and bnp, also the net without what lies this many standard deviations above its layer\u2019s mean; clp then needs no data',
		],
		['--seed <n>', 'of --rank random (default: 0)'],
		['--drops <list>', 'points of clean accuracy to give up, one net each (default: 2,4,10)'],
		['--channels <list>', 'prune exactly these channels; needs no data'],
		['--order <file>', 'prune in the order in this file (JSON array, or numbers apart by commas or spaces)'],
		['--compact', 'also write each repaired net without its pruned channels (compact_X.onnx), and measure it'],
		['-o, --output <folder>', 'where the results go', 'goodnet-run'],
		['--force', 'overwrite an earlier run in that folder'],
		['--resume', 'go on with a run of the same command that was interrupted or killed'],
		['--no-check', 'go on even if the net answers the clean images no better than chance'],
		...MODEL_FLAGS,
	],
	options: PruneOptions,
	example: 'goodnet prune bd_net.h5 --valid valid.h5 --test test.h5 --poisoned bd_test.h5 --drops 2,4,10 -o run',
	async run([path = ''], options, io) {
		checkUsage(options)
		await checkOutput(options.output, { force: options.force, isResumed: options.resume })
		const clock = startClock(io)
		const progress = createProgress(io, options.quiet)
		const model = await openModelFor(path, options)
		clock.lap('load')
		if (options.valid === undefined) return pruneBlindly(model, options, io, progress, clock)
		const data = await openData(model, options, options.valid)
		try {
			if (options.check) await checkInput(model, data.valid, io.signal)
			const order = options.channels ?? (options.order === undefined ? undefined : await readOrder(options.order))
			const drops = options.channels ? [] : options.drops
			const { layer, rank, u, seed, target } = options
			const job = { model, data, options: { layer, drops, order, rank, u, seed, target } }
			return await pruneWithJournal(job, options, io, progress, clock)
		} finally {
			for (const set of Object.values(data)) set?.close()
		}
	},
})

/** The sweep, its folder and its closing words; a run that is stopped leaves a journal, one that fails for good leaves nothing. */
async function pruneWithJournal(
	job: SweepJob,
	options: PruneOptions,
	io: Io,
	progress: Progress,
	clock: Clock,
): Promise<number> {
	const journal = await openRunJournal(options.output, job, options.resume, io)
	try {
		const { sweep, run } = await runSweep(job, options.channels !== undefined, io, progress, clock, journal)
		const finished = { model: job.model, layers: sweep.layers, run, classNames: job.data.valid.classNames }
		const code = await finishRun(finished, { ...options, isResumed: true }, io, progress)
		await journal.remove()
		return code
	} catch (error) {
		if (isPermanent(error)) await journal.remove()
		else if (journal.isWritten())
			io.stderr.write(`\n${options.output} holds what is done so far; --resume goes on from there\n`)
		throw error
	}
}

function checkUsage(options: PruneOptions): void {
	const { valid, test, poisoned, channels, rank, u } = options
	checkConflicts(options)
	if (options.resume && valid === undefined) {
		throw new UsageError(
			'conflicting-options',
			'--resume goes on with a run over images; it does not go without --valid',
		)
	}
	if (valid === undefined && !channels) {
		if (u === undefined || rank === undefined) {
			throw new UsageError(
				'no-data',
				'prune needs --valid PATH with clean images; --channels LIST and --rank clp --u NUMBER prune without data',
			)
		}
		checkBlind(rank)
	}
	if (valid === undefined && (test !== undefined || poisoned !== undefined)) {
		throw new UsageError(
			'no-data',
			'--test and --poisoned are measured along with --valid PATH; name that too, or use goodnet evaluate',
		)
	}
}

function checkConflicts({ channels, order, drops, rank, u, seed, layer }: PruneOptions): void {
	if (channels && (order !== undefined || drops)) {
		throw new UsageError(
			'conflicting-options',
			'--channels prunes exactly those channels; it does not go with --order or --drops',
		)
	}
	const isGiven = channels !== undefined || order !== undefined
	if (isGiven && (rank !== undefined || u !== undefined || layer === ALL_LAYERS)) {
		throw new UsageError(
			'conflicting-options',
			'--channels and --order leave nothing to rank; they do not go with --rank, --u or --layer all',
		)
	}
	if (seed !== undefined && rank !== 'random') {
		throw new UsageError('conflicting-options', '--seed belongs to --rank random')
	}
	if (u !== undefined) checkThreshold(rank ?? 'mean')
	if (layer === ALL_LAYERS) checkAcross(rank ?? 'mean')
}

async function openData(model: Model, options: PruneOptions, valid: string) {
	const open = (path: string | undefined): Promise<ImageSet | undefined> =>
		path === undefined ? Promise.resolve(undefined) : openImagesFor(model, path, options)
	return {
		valid: await openImagesFor(model, valid, options),
		test: await open(options.test),
		poisoned: await open(options.poisoned),
	}
}

/** Without data: the channels given, or those above the threshold. */
async function pruneBlindly(
	model: Model,
	options: PruneOptions,
	io: Io,
	progress: Progress,
	clock: ReturnType<typeof startClock>,
): Promise<number> {
	const { layers, ...pruning } = await blindPruning(model, options)
	const run = await blindRecord(model, layers, pruning, clock.facts())
	return finishRun({ model, layers, run }, options, io, progress)
}

async function blindPruning(model: Model, { channels, rank, u, layer: name }: PruneOptions) {
	// `checkUsage` saw to it that there are either channels or a ranking with a threshold.
	if (!channels) return pruneAboveThreshold(model, { rank: rank!, u: u!, layer: name })
	const layer = chooseLayer(model, name)
	checkChannels(model, layer, channels)
	const choice = { chosenBy: 'given', drop: null, u: null, pruned: channels.length } as const
	return { layers: [layer], order: channels, ranking: null, choice }
}
