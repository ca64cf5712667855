/** `goodnet evaluate`: clean accuracy and attack success of a net as it is. */
import { EvaluateOptions } from '../../contracts/cli-options.ts'
import type { EvaluateRun } from '../../contracts/evaluate-run.ts'
import { checkPreprocessing } from '../../defense/diagnose.ts'
import { evaluateClean, evaluatePoisoned } from '../../defense/evaluate.ts'
import { checkPoisoned } from '../../defense/labels.ts'
import { copyPreprocessing, dataRecord, poisonedRecord } from '../../defense/prune/record.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { formatRate } from '../../report/format.ts'
import { defineCommand, type Io } from '../command.ts'
import { MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { createProgress } from '../progress.ts'
import { alignColumns } from '../text-table.ts'

export const evaluate = defineCommand<EvaluateOptions>({
	name: 'evaluate',
	summary: 'measure clean accuracy and attack success of a net or GoodNet',
	arguments: [['<model>', 'model file: ONNX or Keras .h5']],
	flags: [
		['--test <path>', 'clean labelled images'],
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
	const { source, kind, classes } = model
	const run: EvaluateRun = {
		schema: 'goodnet/evaluate@1',
		model: { path: source.path, sha256: source.sha256, kind, classes },
		preprocessing: copyPreprocessing(model),
		data: { test: null, poisoned: null },
		test: null,
		poisoned: null,
	}
	if (options.test !== undefined) {
		const images = await openImagesFor(model, options.test, options)
		await checkPreprocessing(model, images, io.signal)
		run.test = await evaluateClean(model, images, stage('clean images'))
		run.data.test = await dataRecord(images)
		images.close()
	}
	if (options.poisoned !== undefined) {
		const images = await openImagesFor(model, options.poisoned, options)
		const known = checkPoisoned(images, classes, options.target)
		run.poisoned = await evaluatePoisoned(model, images, { ...stage('poisoned images'), target: options.target })
		run.data.poisoned = await poisonedRecord(images, known)
		images.close()
	}
	return run
}

function table({ test, poisoned, model, data }: EvaluateRun): string {
	const rows: string[][] = []
	if (test) {
		rows.push(['clean accuracy', formatRate(test.correct, test.total)])
		if (test.rejected !== null) rows.push(['clean images rejected', formatRate(test.rejected, test.total)])
	}
	if (poisoned) {
		rows.push([`attack success (target ${data.poisoned?.target})`, formatRate(poisoned.hits, poisoned.total)])
		if (poisoned.recovered !== null) rows.push(['robust accuracy', formatRate(poisoned.recovered, poisoned.total)])
		if (poisoned.rejected !== null)
			rows.push(['poisoned images rejected', formatRate(poisoned.rejected, poisoned.total)])
	}
	return `${model.path}\n${alignColumns(rows)}`
}
