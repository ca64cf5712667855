/** `goodnet evaluate`: clean accuracy and attack success of a net as it is. */
import { EvaluateOptions } from '../../contracts/cli-options.ts'
import type { EvaluateRun } from '../../contracts/evaluate-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { diagnoseInput } from '../../defense/diagnose.ts'
import { evaluateClean, evaluatePoisoned } from '../../defense/evaluate.ts'
import { checkLabels, checkPoisoned } from '../../defense/labels.ts'
import { copyPreprocessing, dataRecord, poisonedRecord } from '../../defense/prune/record.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { formatOf, formatRate } from '../../report/format.ts'
import { defineCommand, type Io } from '../command.ts'
import { DATA_PATHS, MODEL_ARGUMENT, MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { createProgress } from '../progress.ts'
import { alignColumns } from '../text-table.ts'

export const evaluate = defineCommand<EvaluateOptions>({
	name: 'evaluate',
	summary: 'measure clean accuracy and attack success of a net or GoodNet',
	arguments: [['<model>', MODEL_ARGUMENT]],
	flags: [
		['--test <path>', `clean labelled images: ${DATA_PATHS}`],
		['--poisoned <path>', 'triggered images, labelled with the target or, with --target, with their true classes'],
		['--target <label>', 'the attacker\u2019s label, counted from 0'],
		...MODEL_FLAGS,
	],
	options: EvaluateOptions,
	example: 'goodnet evaluate bd_net.h5 --test test.h5 --poisoned bd_test.h5',
	async run([path = ''], options, io) {
		if (options.test === undefined && options.poisoned === undefined) {
			throw new UsageError('no-data', 'evaluate needs --test PATH, --poisoned PATH or both')
		}
		const model = await openModelFor(path, options)
		const run = await measure(model, options, io)
		io.print(options.json ? JSON.stringify(run, null, 2) : table(run))
		return 0
	},
})

async function measure(model: Model, options: EvaluateOptions, io: Io): Promise<EvaluateRun> {
	const progress = createProgress(io, options.quiet)
	const stage = (name: string) => ({
		signal: io.signal,
		onProgress: (done: number, total: number) => progress.update(name, done, total),
	})
	const open = (path: string | undefined) => (path === undefined ? null : openImagesFor(model, path, options))
	const test = await open(options.test)
	const poisoned = await open(options.poisoned)
	try {
		// Whatever is wrong with either set is said before the first is measured.
		if (test) checkLabels(test, model.classes)
		const known = poisoned && checkPoisoned(poisoned, model.classes, options.target)
		if (test) await warn(model, test, io)
		const { source, kind, classes } = model
		return {
			schema: 'goodnet/evaluate@1',
			model: { path: source.path, sha256: source.sha256, kind, classes },
			preprocessing: copyPreprocessing(model),
			data: {
				test: test && (await dataRecord(test)),
				poisoned: poisoned && known && (await poisonedRecord(poisoned, known)),
			},
			test: test && (await evaluateClean(model, test, stage('clean images'))),
			poisoned:
				poisoned && (await evaluatePoisoned(model, poisoned, { ...stage('poisoned images'), target: options.target })),
		}
	} finally {
		test?.close()
		poisoned?.close()
	}
}

/** A net may be this bad (a far repair is), so the figures stand; but most often it was fed wrongly. */
async function warn(model: Model, test: ImageSet, io: Io): Promise<void> {
	const diagnosis = await diagnoseInput(model, test, io.signal)
	if (diagnosis !== null) io.stderr.write(`warning: ${diagnosis}\n`)
}

function table({ test, poisoned, model, data }: EvaluateRun): string {
	const rows: string[][] = []
	const add = (what: string, hits: number | null, total: number) => {
		if (hits !== null) rows.push([what, formatRate(hits, total), formatOf(hits, total)])
	}
	if (test) {
		add('clean accuracy', test.correct, test.total)
		add('clean images rejected', test.rejected, test.total)
	}
	if (poisoned) {
		add(`attack success (answered ${data.poisoned?.target}, the target)`, poisoned.hits, poisoned.total)
		add('robust accuracy (answered the true label)', poisoned.recovered, poisoned.total)
		add('poisoned images rejected', poisoned.rejected, poisoned.total)
	}
	const sets = [
		data.test && `clean images: ${data.test.path}`,
		data.poisoned && `poisoned images: ${data.poisoned.path}`,
	]
	return [model.path, alignColumns(rows), '', ...sets.filter((line) => line !== null), 'brackets: 95 % intervals'].join(
		'\n',
	)
}
