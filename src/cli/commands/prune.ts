/** `goodnet prune`: the defense on somebody's own net and data. */
import { readFile } from 'node:fs/promises'
import { PruneOptions } from '../../contracts/cli-options.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { checkInput } from '../../defense/diagnose.ts'
import { chooseLayer } from '../../defense/prune/layer.ts'
import { channelsRecord } from '../../defense/prune/record.ts'
import { checkChannels } from '../../defense/prune/repaired.ts'
import { InputError, messageOf, UsageError } from '../../errors.ts'
import { parseJson } from '../../json.ts'
import type { Model } from '../../model/model.ts'
import { checkOutput } from '../../report/run-folder.ts'
import { defineCommand, type Io } from '../command.ts'
import { MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { createProgress, type Progress } from '../progress.ts'
import { finishRun, runSweep, startClock } from '../prune-job.ts'

export const prune = defineCommand<PruneOptions>({
	name: 'prune',
	summary: 'prune channels until clean accuracy drops, and build the GoodNet',
	arguments: [['<model>', 'model file: ONNX or Keras .h5']],
	flags: [
		[
			'--valid <path>',
			'clean images that rank the channels and choose the nets; without labels, accuracy is agreement with the net',
		],
		['--test <path>', 'clean images that are only measured'],
		[
			'--poisoned <path>',
			'triggered images that are only measured, labelled with the target or, with --target, with their true classes',
		],
		['--target <label>', 'the attacker\u2019s label, counted from 0'],
		['--layer <name>', 'layer to prune (default: the last pooling layer; see goodnet inspect)'],
		['--drops <list>', 'points of clean accuracy to give up, one net each (default: 2,4,10)'],
		['--channels <list>', 'prune exactly these channels; needs no data'],
		['--order <file>', 'prune in the order in this file (JSON array, or numbers apart by commas or spaces)'],
		['--compact', 'also write each repaired net without its pruned channels (compact_X.onnx), and measure it'],
		['-o, --output <folder>', 'where the results go', 'goodnet-run'],
		['--force', 'overwrite an earlier run in that folder'],
		['--no-check', 'go on even if the net answers the clean images no better than chance'],
		...MODEL_FLAGS,
	],
	options: PruneOptions,
	example: 'goodnet prune bd_net.h5 --valid valid.h5 --test test.h5 --poisoned bd_test.h5 --drops 2,4,10 -o run',
	async run([path = ''], options, io) {
		checkUsage(options)
		await checkOutput(options.output, options)
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
			const { layer: layerName, target } = options
			const job = { model, data, options: { layer: layerName, drops, order, target } }
			const { sweep, run } = await runSweep(job, options.channels !== undefined, io, progress, clock)
			return await finishRun(
				{ model, layer: sweep.layer, run, classNames: data.valid.classNames },
				options,
				io,
				progress,
			)
		} finally {
			for (const set of Object.values(data)) set?.close()
		}
	},
})

function checkUsage({ valid, test, poisoned, channels, order, drops }: PruneOptions): void {
	if (channels && (order !== undefined || drops)) {
		throw new UsageError(
			'conflicting-options',
			'--channels prunes exactly those channels; it does not go with --order or --drops',
		)
	}
	if (valid === undefined && !channels) {
		throw new UsageError(
			'no-data',
			'prune needs --valid PATH with clean images, or --channels LIST to prune without data',
		)
	}
	if (valid === undefined && (test !== undefined || poisoned !== undefined)) {
		throw new UsageError(
			'no-data',
			'--test and --poisoned are measured along with --valid PATH; name that too, or use goodnet evaluate',
		)
	}
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

async function pruneBlindly(
	model: Model,
	options: PruneOptions,
	io: Io,
	progress: Progress,
	clock: ReturnType<typeof startClock>,
): Promise<number> {
	const channels = options.channels ?? []
	const layer = chooseLayer(model, options.layer)
	checkChannels(model, layer, channels)
	const run = await channelsRecord(model, layer, channels, clock.facts())
	return finishRun({ model, layer, run }, options, io, progress)
}

async function readOrder(path: string): Promise<number[]> {
	const text = await readFile(path, 'utf8').catch((error: unknown) => {
		throw new InputError('not-found', `${path} cannot be read: ${messageOf(error)}`, { path, cause: error })
	})
	const words = text.trimStart().startsWith('[')
		? jsonNumbers(text)
		: text.split(/[\s,]+/).filter((word) => word !== '')
	const order = words.map(Number)
	const bad = words.find((word) => !/^\d+$/.test(word))
	if (bad === undefined && order.length > 0) return order
	const found = bad === undefined ? 'an empty file' : `"${bad.slice(0, 40)}"`
	throw new InputError('bad-order', `${path}: expected channel numbers, first pruned first, found ${found}`, { path })
}

/** The elements of a JSON array as text; the text itself, to be named in the error, where it is no such array. */
function jsonNumbers(text: string): string[] {
	const parsed = parseJson(text)
	return Array.isArray(parsed) ? parsed.map(String) : [text]
}
