/** `goodnet repair`: one of the defenses on somebody's own net and clean images, with everything that tells what it did. */
import { RepairOptions } from '../../contracts/cli-options.ts'
import type { RepairRun } from '../../contracts/repair-run.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { DEFAULT_METHOD, DEFAULT_UNLABELED_METHOD } from '../../defense/repair/methods/index.ts'
import { UsageError } from '../../errors.ts'
import { checkOutput } from '../../report/output-folder.ts'
import { writeRepairFolder } from '../../report/repair-folder.ts'
import { closingTable } from '../../report/table.ts'
import { openTrainingJournal } from '../../report/training-journal.ts'
import { verdict } from '../../report/verdict.ts'
import { isWorse } from '../../report/verdict-repair.ts'
import { wrapWords } from '../../report/wrap.ts'
import { type Clock, startClock } from '../clock.ts'
import { DEFAULT_COLUMNS, defineCommand, type Io } from '../command.ts'
import { DATA_PATHS, MODEL_ARGUMENT, MODEL_FLAGS } from '../inputs.ts'
import { createProgress, type Progress } from '../progress.ts'
import { identityOf, methodOf, prepareRepair, type RepairJob, runRepair } from '../repair-job.ts'
import { methodsNotes, methodsResult, methodsText } from '../repair-methods.ts'
import { settle } from '../settle.ts'

const GATE_FAILED = 10

export const repair = defineCommand<RepairOptions>({
	name: 'repair',
	summary: 'repair a net by one of several defenses, measure it, and build the GoodNet',
	arguments: [['[model]', MODEL_ARGUMENT]],
	flags: [
		[
			'--method <name>',
			`what to do, see below (default: ${DEFAULT_METHOD}; with --unlabeled ${DEFAULT_UNLABELED_METHOD})`,
		],
		['--list', 'print every method with its parameters, and nothing else'],
		['--set <name=value>', 'a parameter of the method; several with commas, or the flag again'],
		['--data <path>', `clean labelled images, divided into those to learn from and those to choose by: ${DATA_PATHS}`],
		['--valid-share <percent>', 'how much of --data is to choose by (default: 20)'],
		['--tuning-data <path>', 'clean labelled images to learn from, instead of --data'],
		['--valid <path>', 'clean labelled images to choose by, instead of --data'],
		['--unlabeled <path>', 'clean pictures whose labels are not looked at, for methods that take some'],
		['--test <path>', 'clean images that are only measured'],
		[
			'--poisoned <path>',
			'triggered images that are only measured, labelled with the target or, with --target, with their true classes',
		],
		['--target <label>', 'the attacker\u2019s label, counted from 0; the method is not told'],
		['--twin <model>', 'the same net without a backdoor: what does the repair do to it?'],
		['--seed <n>', 'of everything that is drawn (default: 0)'],
		['--fail-on <finding>', 'worse: end with 10 where ASR rose, or clean accuracy fell and ASR did not'],
		['-o, --output <folder>', 'where the results go', 'goodnet-repair'],
		['--force', 'overwrite an earlier run in that folder'],
		['--resume', 'go on with a run of the same command that was stopped'],
		['--no-check', 'go on even if the net answers the clean images no better than chance'],
		...MODEL_FLAGS,
	],
	repeatable: ['--set'],
	options: RepairOptions,
	notes: methodsNotes(),
	example:
		'goodnet repair bd_net.h5 --method fine-tuning --set epochs=10 --data clean.npz --test test.npz --poisoned poisoned.npz -o repair',
	async run([path], options, io) {
		if (options.list) {
			io.print(options.json ? JSON.stringify(methodsResult(), null, 2) : methodsText(io.columns ?? DEFAULT_COLUMNS))
			return 0
		}
		if (path === undefined) throw new UsageError('no-model', 'repair needs a model: goodnet repair MODEL --data PATH')
		const told = methodOf(options)
		await checkOutput(options.output, { force: options.force, isResumed: options.resume })
		const progress = createProgress(io, options.quiet)
		const clock = startClock(io)
		const opened: ImageSet[] = []
		try {
			const job = await prepareRepair(path, options, told, opened, io, progress)
			clock.lap('read')
			const run = await repairAndWrite(job, options, io, progress, clock)
			progress.finish()
			say(run, options, io)
			return options.failOn === 'worse' && isWorse(run) ? GATE_FAILED : 0
		} finally {
			for (const set of opened) set.close()
		}
	},
})

async function repairAndWrite(
	job: RepairJob,
	options: RepairOptions,
	io: Io,
	progress: Progress,
	clock: Clock,
): Promise<RepairRun> {
	const journal = await openTrainingJournal(options.output, {
		command: io.commandLine,
		identity: () => identityOf(job),
		isResumed: options.resume,
		now: io.now,
	})
	try {
		const { run, points } = await runRepair(job, journal, io, progress, clock)
		const { data, tuning, valid } = job.sets
		return await writeRepairFolder(options.output, job.model, points, run, {
			...{ force: options.force, isResumed: true, signal: io.signal },
			classNames: (data ?? tuning ?? valid)?.classNames ?? null,
			onProgress: (done, total) => progress.update('write nets', done, total, 'nets'),
		})
	} catch (error) {
		progress.finish()
		await settle(error, journal, options.output, io)
		throw error
	}
}

function say(run: RepairRun, { json, quiet, output }: RepairOptions, io: Io): void {
	if (json) {
		io.print(JSON.stringify(run, null, 2))
		return
	}
	const width = io.columns ?? DEFAULT_COLUMNS
	io.print(`${closingTable(run, width)}\n${wrapWords(verdict(run), width)}`)
	const nets = run.repaired.length > 0 ? ' and the nets' : ''
	if (!quiet) io.stderr.write(`\nwritten to ${output}: report.html, run.json${nets}\n`)
}
