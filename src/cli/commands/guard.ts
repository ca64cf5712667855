/** `goodnet guard`: every guard that a net can have, its threshold set on clean images, compared and written as one ONNX file each. */
import { GuardOptions } from '../../contracts/cli-options.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { checkInput } from '../../defense/diagnose.ts'
import { checkPlain } from '../../defense/guard/guarded-graph.ts'
import { checkFalseRejectionRate } from '../../defense/guard/threshold.ts'
import { checkLabels, checkPoisoned } from '../../defense/labels.ts'
import { loadModel } from '../../model/load.ts'
import type { Model } from '../../model/model.ts'
import { guardTable } from '../../report/guard-table.ts'
import { checkOutput } from '../../report/output-folder.ts'
import { startClock } from '../clock.ts'
import { DEFAULT_COLUMNS, defineCommand } from '../command.ts'
import { type GuardSetsOfRun, writeGuardFolder } from '../guard-job.ts'
import { checkGuardUsage, makeGuards } from '../guard-makers.ts'
import { DATA_PATHS, MODEL_ARGUMENT, MODEL_FLAGS, openImagesFor, openModelFor } from '../inputs.ts'
import { readOrder } from '../order-file.ts'
import { createProgress } from '../progress.ts'

export const guard = defineCommand<GuardOptions>({
	name: 'guard',
	summary: 'put a net behind guards that reject triggered images, and compare them',
	arguments: [['<model>', MODEL_ARGUMENT]],
	flags: [
		['--valid <path>', `clean images that choose every threshold, with labels or without: ${DATA_PATHS}`],
		['--frr <points>', 'clean images that may be rejected, in percent (default: 1)'],
		['--repaired <file...>', 'repaired forms of the net: one for goodnet and disagreement, several for quorum'],
		[
			'--kind <list>',
			'goodnet, disagreement, quorum, flip-depth, logit, margin, quarantine (default: all that the inputs allow)',
		],
		['--quorum <n>', 'repaired nets that must disagree, whatever that rejects (default: chosen for --frr)'],
		['--quarantine <list>', 'labels that are never to be answered, as a detector found them'],
		['--layer <name>', 'flip-depth: the layer that is pruned (default: the last pooling layer; see goodnet inspect)'],
		['--order <file>', 'flip-depth: channel numbers, first pruned first'],
		['--rank <name>', 'flip-depth: mean, max, apoz, l1, clp, bnp or random, without --order (default: mean)'],
		['--seed <n>', 'of --rank random (default: 0)'],
		['--checkpoints <n>', 'flip-depth: nets along the order (default: 8)'],
		['--flips <which>', 'flip-depth: which flips are suspicious, early or late ones (default: early)'],
		['--test <path>', 'clean images that are only measured'],
		[
			'--poisoned <path>',
			'triggered images that are only measured, labelled with the target or, with --target, with their true classes',
		],
		['--target <label>', 'the attacker\u2019s label, counted from 0'],
		['-o, --output <folder>', 'where the guards go', 'goodnet-guard'],
		['--force', 'overwrite an earlier run in that folder'],
		['--no-check', 'go on even if the net answers the clean images no better than chance'],
		...MODEL_FLAGS,
	],
	options: GuardOptions,
	example:
		'goodnet guard bd_net.h5 --repaired repaired_4.h5 --valid valid.h5 --test test.h5 --poisoned bd_test.h5 -o guards',
	async run([path = ''], options, io) {
		checkFalseRejectionRate(options.frr)
		checkGuardUsage(options)
		await checkOutput(options.output, { force: options.force })
		const clock = startClock(io)
		const progress = createProgress(io, options.quiet)
		const stage = (name: string) => ({
			signal: io.signal,
			onProgress: (done: number, total: number) => progress.update(name, done, total),
		})
		const order = options.order === undefined ? undefined : await readOrder(options.order)
		const model = await openModelFor(path, options)
		checkPlain(model)
		const repaired = await openRepaired(model, options)
		clock.lap('load')
		const sets = await openSets(model, options)
		try {
			checkSets(model, sets, options.target)
			if (options.check) await checkInput(model, sets.valid, io.signal)
			const made = await makeGuards({ model, repaired, valid: sets.valid, options, order }, stage('read the net'))
			const { target, frr: falseRejectionRate, force, output } = options
			const job = { ...made, model, repaired, sets, target, falseRejectionRate }
			const run = await writeGuardFolder(output, job, clock, { force, signal: io.signal, stage })
			progress.finish()
			io.print(options.json ? JSON.stringify(run, null, 2) : guardTable(run, io.columns ?? DEFAULT_COLUMNS).trimEnd())
			if (!options.json && !options.quiet) io.stderr.write(`\nwritten to ${output}: guard.json and the guards\n`)
			return 0
		} finally {
			for (const set of Object.values(sets)) set?.close()
		}
	},
})

/** On the model's own runtime, fed as the model is. */
async function openRepaired({ runtime, preprocessing }: Model, options: GuardOptions): Promise<Model[]> {
	const { architecture } = options
	const models: Model[] = []
	for (const path of options.repaired) models.push(await loadModel(path, { runtime, architecture, preprocessing }))
	return models
}

async function openSets(model: Model, options: GuardOptions): Promise<GuardSetsOfRun> {
	const open = (path: string | undefined): Promise<ImageSet | undefined> =>
		path === undefined ? Promise.resolve(undefined) : openImagesFor(model, path, options)
	return {
		valid: await openImagesFor(model, options.valid, options),
		test: await open(options.test),
		poisoned: await open(options.poisoned),
	}
}

/** Whatever is wrong with any set is said before the first is measured. */
function checkSets(model: Model, { valid, test, poisoned }: GuardSetsOfRun, target: number | undefined): void {
	for (const set of [valid, test]) if (set) checkLabels(set, model.classes)
	if (poisoned) checkPoisoned(poisoned, model.classes, target)
}
