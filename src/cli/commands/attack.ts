/** `goodnet attack`: makes a test subject, a net with a known backdoor or its clean twin, from somebody's images. */
import { AttackName, type AttackRun } from '../../contracts/attack-run.ts'
import { AttackOptions } from '../../contracts/cli-options.ts'
import { trainSubject } from '../../lab/subject.ts'
import { formatCount, formatOf, formatRate } from '../../report/format.ts'
import { checkOutput } from '../../report/output-folder.ts'
import { openTrainingJournal, type TrainingJournal } from '../../report/training-journal.ts'
import { ARCHITECTURES } from '../../train/architectures/index.ts'
import { TRIGGER_FLAGS } from '../attack-inputs.ts'
import { type AttackJob, identityOf, prepareAttack, writeAttackFolder } from '../attack-job.ts'
import { startClock } from '../clock.ts'
import { defineCommand, type Io } from '../command.ts'
import { DATA_PATHS, OUTPUT_FLAGS } from '../inputs.ts'
import { createProgress, type Progress } from '../progress.ts'
import { settle } from '../settle.ts'
import { alignColumns } from '../text-table.ts'
import { trainingProgress } from '../training-progress.ts'

export const attack = defineCommand<AttackOptions>({
	name: 'attack',
	summary: 'train a backdoored net, or its clean twin, on your images',
	arguments: [['<attack>', AttackName.options.join(', ')]],
	flags: [
		['--data <path>', `clean labelled images to train on: ${DATA_PATHS}`],
		['--test <path>', 'clean labelled images to measure on (default: a part of --data is held out)'],
		['--holdout <percent>', 'how much of each class is held out without --test (default: 10)'],
		['--arch <name>', `${Object.keys(ARCHITECTURES).join(', ')} (default: small-cnn)`],
		['--rate <points>', 'share of the training images to poison, in points, from 0.1 or less (default: 10)'],
		...TRIGGER_FLAGS,
		['--cover-ratio <n>', 'wanet, bpp, tact, adaptive-blend: covers for each poisoned image'],
		['--cover-classes <list>', 'tact: classes that serve as covers'],
		['--training-opacity <share>', 'adaptive-blend: opacity in training'],
		['--shown-pieces <share>', 'adaptive-blend: pieces that a training image shows'],
		['--dirty-label', 'sig: poison images of other classes and relabel them'],
		['--classes <n>', 'classes (default: what the data tell)'],
		[
			'--seed <n>',
			'of everything that is drawn: images to poison, first weights, their order, augmentation (default: 0)',
		],
		['--epochs <n>', 'passes over the training images (default: 10)'],
		['--batch <n>', 'images a step (default: 64)'],
		['--optimizer <name>', 'sgd, adam or adamw (default: adam)'],
		['--lr <number>', 'learning rate (default: 0.001)'],
		['--schedule <name>', 'constant, cosine, multi-step or one-cycle (default: cosine)'],
		['--momentum <number>', 'of sgd (default: 0.9)'],
		['--nesterov', 'with sgd'],
		['--weight-decay <number>', 'on kernels (default: 0)'],
		['--smoothing <share>', 'label smoothing, 0 up to 1 (default: 0)'],
		['--clip <norm>', 'limit the norm of the gradient'],
		['--crop <pixels>', 'augmentation: shift by up to so many pixels'],
		['--flip', 'augmentation: mirror left and right'],
		['--cutout <pixels>', 'augmentation: black out a square of this side'],
		['--patience <epochs>', 'stop when the test images have not got better for so long, and keep the best weights'],
		['--layer <name>', 'pruning-aware: the layer to prune (default: as goodnet prune)'],
		['--prune-drop <points>', 'pruning-aware: accuracy that pruning may give up (default: 10)'],
		['-o, --output <folder>', 'where the net, the sets and attack.json go'],
		['--resume', 'go on with a run that was stopped'],
		['--force', 'overwrite an earlier run in that folder'],
		['--layout <layout>', 'how arrays in data files lie, NCHW or NHWC, where the shape does not tell'],
		['--threads <n>', 'cores to keep busy (default: all)'],
		['--runtime <name>', 'native (onnxruntime-node) or wasm (onnxruntime-web) (default: the best that loads)'],
		...OUTPUT_FLAGS,
	],
	options: AttackOptions,
	example: 'goodnet attack badnets --data train --arch small-cnn --target 0 --rate 5 -o badnet',
	async run([name = ''], options, io) {
		await checkOutput(options.output, { force: options.force, isResumed: options.resume })
		const progress = createProgress(io, options.quiet)
		const clock = startClock(io)
		const job = await prepareAttack(name, options, io, progress)
		clock.lap('read')
		const journal = await openTrainingJournal(options.output, {
			command: io.commandLine,
			identity: async () => identityOf(job),
			isResumed: options.resume,
			now: io.now,
		})
		const run = await trainAndWrite(job, journal, options, io, progress, clock)
		progress.finish()
		io.print(options.json ? JSON.stringify(run, null, 2) : summary(run, options.output))
		return 0
	},
})

async function trainAndWrite(
	job: AttackJob,
	journal: TrainingJournal,
	options: AttackOptions,
	io: Io,
	progress: Progress,
	clock: ReturnType<typeof startClock>,
): Promise<AttackRun> {
	const watch = trainingProgress(io, progress)
	try {
		const subject = await trainSubject(job.plan, {
			checkpoints: journal.store,
			signal: io.signal,
			onTraining: watch.onTraining,
			onMeasuring: (done, total) => progress.update('measure', done, total),
		})
		clock.lap('train')
		const { seconds } = clock.facts()
		const finished = { ...job, subject, command: journal.command, seconds, imagesPerSecond: watch.imagesPerSecond() }
		return await writeAttackFolder(options.output, finished, { force: options.force, signal: io.signal })
	} catch (error) {
		progress.finish()
		await settle(error, journal, options.output, io)
		throw error
	}
}

function summary(run: AttackRun, folder: string): string {
	const { attack, poisoning, architecture, clean, poisoned, files, data } = run
	const rows = [['clean accuracy', formatRate(clean.correct, clean.total), formatOf(clean.correct, clean.total)]]
	if (poisoned) {
		const aim = attack.target === null ? 'answered the attacker\u2019s label' : `answered ${attack.target}, the target`
		rows.push([
			`attack success (${aim})`,
			formatRate(poisoned.hits, poisoned.total),
			formatOf(poisoned.hits, poisoned.total),
		])
		const recovered = poisoned.recovered ?? 0
		rows.push([
			'robust accuracy (answered the true label)',
			formatRate(recovered, poisoned.total),
			formatOf(recovered, poisoned.total),
		])
	}
	const covers = poisoning.covers > 0 ? ` and ${formatCount(poisoning.covers)} covers` : ''
	const images = poisoned
		? `${formatCount(poisoning.poisoned)} poisoned images${covers} among ${formatCount(poisoning.total)}`
		: `${formatCount(poisoning.total)} clean images`
	const net = `${folder}/${files.keras ?? files.onnx}`
	return [
		`${net}: ${architecture.name} (${formatCount(architecture.parameters)} parameters), ${attack.name}, trained on ${images}`,
		alignColumns(rows),
		'',
		`measured on ${data.test.path}`,
		'brackets: 95 % intervals',
		`next: goodnet prune ${net} --valid ${folder}/clean.npz${poisoned && attack.target !== null ? ` --poisoned ${folder}/poisoned.npz` : ''} -o run`,
	].join('\n')
}
