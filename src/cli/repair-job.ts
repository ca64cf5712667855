/** What `goodnet repair` does between options and files: the nets, the clean images, the repair, its record. */
import type { RepairOptions } from '../contracts/cli-options.ts'
import type { RunIdentity } from '../contracts/journal.ts'
import type { RepairRun } from '../contracts/repair-run.ts'
import type { ImageSet, ImageSize } from '../data/image-set.ts'
import { checkInput } from '../defense/diagnose.ts'
import { DEFAULT_SHARE, isDivided, readCleanData } from '../defense/repair/data.ts'
import { checkSets, type MeasuredSets } from '../defense/repair/measure.ts'
import type { RepairContext, RepairData, RepairedPoint, RepairMethod } from '../defense/repair/method.ts'
import { DEFAULT_METHOD, DEFAULT_UNLABELED_METHOD, methodNamed } from '../defense/repair/methods/index.ts'
import { parameterValues } from '../defense/repair/parameters.ts'
import { type RepairSets, repairRecord } from '../defense/repair/record.ts'
import { type RepairResult, repairModel } from '../defense/repair/repair.ts'
import { InputError, UsageError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import type { TrainingJournal } from '../report/training-journal.ts'
import type { Clock } from './clock.ts'
import type { Io } from './command.ts'
import { openImagesFor, openModelFor } from './inputs.ts'
import type { Progress } from './progress.ts'
import { parseSettings } from './repair-methods.ts'
import { modelIdentity, setIdentities } from './resume.ts'

/** Everything that is settled before the repair begins. */
export interface RepairJob {
	readonly model: Model
	/** The same net without a backdoor. */
	readonly twin: Model | null
	readonly method: RepairMethod
	/** Parameters as they were told. */
	readonly told: Readonly<Record<string, string>>
	readonly sets: RepairSets
	readonly data: RepairData
	readonly measured: MeasuredSets
	readonly seed: number
	/** Share of `--data` that chooses. */
	readonly share: number
}

/** What was told of the method. @throws UsageError `unknown-method`, `unknown-parameter`, `bad-parameter`, `bad-option`, `conflicting-options` */
export function methodOf(options: RepairOptions): Pick<RepairJob, 'method' | 'told'> {
	const usual = options.unlabeled === undefined ? DEFAULT_METHOD : DEFAULT_UNLABELED_METHOD
	const method = methodNamed(options.method ?? usual)
	const told = parseSettings(options.set)
	parameterValues(method.parameters, told, method.name)
	checkEffects(method, options)
	return { method, told }
}

/** A flag without effect is a mistake. */
function checkEffects(method: RepairMethod, options: RepairOptions): void {
	const { data, tuningData, unlabeled, validShare, target, poisoned, failOn } = options
	const refuse = (message: string) => {
		throw new UsageError('conflicting-options', message)
	}
	const isChoosing = !isDivided(method)
	if (isChoosing && tuningData !== undefined) refuse(`--tuning-data: ${method.name} learns nothing; leave it out`)
	if (unlabeled !== undefined && !method.needs.includes('unlabeled')) {
		refuse(`--unlabeled: ${method.name} does not look at unlabelled pictures; leave it out, or take distill-unlearn`)
	}
	if (validShare !== undefined && (data === undefined || isChoosing)) {
		refuse('--valid-share: it says how --data is divided, and nothing is divided here; leave it out')
	}
	if (target !== undefined && poisoned === undefined) refuse('--target: it goes with --poisoned; leave it out')
	if (failOn !== undefined && poisoned === undefined) {
		refuse(`--fail-on ${failOn}: whether a repair was worth its price needs ASR; name a set with --poisoned`)
	}
}

/** Opens nets and sets and reads the clean images. The sets are closed by whoever `closeSets`. */
export async function prepareRepair(
	path: string,
	options: RepairOptions,
	{ method, told }: Pick<RepairJob, 'method' | 'told'>,
	opened: ImageSet[],
	io: Io,
	progress: Progress,
): Promise<RepairJob> {
	const model = await openModelFor(path, options)
	const twin = options.twin === undefined ? null : await openTwin(options.twin, model, options)
	const open = async (setPath: string | undefined) => {
		if (setPath === undefined) return undefined
		const set = await openImagesFor(model, setPath, options)
		opened.push(set)
		checkSize(model, set)
		return set
	}
	const sets: RepairSets = {
		data: await open(options.data),
		tuning: await open(options.tuningData),
		valid: await open(options.valid),
		unlabeled: await open(options.unlabeled),
		test: await open(options.test),
		poisoned: await open(options.poisoned),
	}
	const { test = null, poisoned = null } = sets
	// What is wrong with what is only measured is said before anything is read.
	checkSets({ valid: null, test, poisoned, target: options.target }, model.classes)
	const share = options.validShare === undefined ? DEFAULT_SHARE : options.validShare / 100
	const { classes } = model
	const data = await readCleanData(method, sets, {
		...{ classes, share, seed: options.seed, signal: io.signal },
		onProgress: (done, total) => progress.update('read images', done, total),
	})
	const shown = sets.data ?? sets.valid ?? sets.tuning
	if (options.check && shown) await checkInput(model, shown, io.signal)
	await warnOfReuse(sets, io)
	const measured = { valid: data.valid, test, poisoned, target: options.target }
	return { model, twin, method, told, sets, data, measured, seed: options.seed, share }
}

/** @throws InputError `not-a-twin` for a net with other images or classes */
async function openTwin(path: string, model: Model, options: RepairOptions): Promise<Model> {
	const twin = await openModelFor(path, options)
	const found = `${sizeOf(twin.input)}, ${twin.classes} classes`
	const expected = `${sizeOf(model.input)}, ${model.classes} classes`
	if (found === expected && twin.kind === model.kind) return twin
	const message = `${path}: expected a clean twin of ${model.source.path} (a net for images of ${expected}), found one for ${found}`
	throw new InputError('not-a-twin', message, { path })
}

/** @throws InputError `shape-mismatch`, before hours of work */
function checkSize({ input, preprocessing }: Model, set: ImageSet): void {
	const isSame = set.height === input.height && set.width === input.width
	if (set.channels === input.channels && (isSame || preprocessing.resize)) return
	const way = set.channels === input.channels ? 'pass --resize to fit them' : 'use images with that many channels'
	const message = `${set.path}: expected images of ${sizeOf(input)} (height×width×channels), found ${sizeOf(set)}; ${way}`
	throw new InputError('shape-mismatch', message, { path: set.path })
}

function sizeOf({ height, width, channels }: ImageSize): string {
	return `${height}×${width}×${channels}`
}

/** What a net has learned, or was chosen by, it is better at. */
async function warnOfReuse({ test, data, tuning, valid }: RepairSets, io: Io): Promise<void> {
	if (!test) return
	for (const set of [data, tuning, valid]) {
		if (!set || set.count !== test.count || (await set.sha256()) !== (await test.sha256())) continue
		io.stderr.write(`warning: --test ${test.path} is among the images that the repair is given; its figures flatter\n`)
		return
	}
}

/** All that decides what the run's nets and counts are; where files lie does not. */
export async function identityOf(job: RepairJob): Promise<RunIdentity> {
	const { model, twin, method, told, sets, measured, seed, share } = job
	const identity = modelIdentity(model)
	return {
		...identity,
		// Sums of floats depend on how they are divided among threads.
		runtime: `${identity.runtime}, ${model.runtime.threads} threads`,
		twin: twin ? twin.source.sha256 : 'not given',
		method: method.name,
		parameters: JSON.stringify(parameterValues(method.parameters, told, method.name)),
		seed: String(seed),
		share: String(share),
		target: String(measured.target ?? 'not given'),
		...(await setIdentities({ ...sets })),
	}
}

/** Checkpoints of the twin are numbered from here on. */
const TWIN_STAGES = 100

/** Repairs the net, and its twin; the record's `files` are still null. */
export async function runRepair(
	job: RepairJob,
	journal: TrainingJournal,
	io: Io,
	progress: Progress,
	clock: Clock,
): Promise<{ readonly run: RepairRun; readonly points: readonly RepairedPoint[] }> {
	const { model, twin } = job
	const result = await repairOne(job, model, (stage) => journal.store(stage), '', io, progress)
	clock.lap('repair')
	const ofTwin = twin && {
		model: twin,
		result: await repairOne(job, twin, (stage) => journal.store(TWIN_STAGES + stage), 'twin: ', io, progress),
	}
	if (ofTwin) clock.lap('twin')
	const finished = { ...job, result, twin: ofTwin ?? undefined }
	const run = await repairRecord(finished, { ...clock.facts(), command: journal.command })
	return { run, points: result.repaired.map(({ point }) => point) }
}

function repairOne(
	{ method, told, data, measured, seed }: RepairJob,
	model: Model,
	checkpoints: NonNullable<RepairContext['checkpoints']>,
	prefix: string,
	{ signal }: Io,
	progress: Progress,
): Promise<RepairResult> {
	return repairModel(model, method, data, {
		...{ seed, parameters: told, sets: measured, checkpoints, signal },
		onProgress: (stage, done, total) =>
			progress.update(`${prefix}${stage}`, done, total, stage.startsWith('measure') ? 'images' : ''),
	})
}
