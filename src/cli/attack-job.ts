/** What `goodnet attack` does between options and files: the images, the plan, the net, and the folder that they go to. */
import { join } from 'node:path'
import type { Attack } from '../attack/attack.ts'
import { drawTrigger } from '../attack/trigger-image.ts'
import type { AttackRun } from '../contracts/attack-run.ts'
import type { AttackOptions } from '../contracts/cli-options.ts'
import type { RunIdentity } from '../contracts/journal.ts'
import { encodePng } from '../data/decode.ts'
import { holdOut } from '../data/held-out.ts'
import type { ImageSet, ImageSize } from '../data/image-set.ts'
import { imageAt, type LabelledImages, readImages } from '../data/labelled.ts'
import { checkNpzSize, writeNpz } from '../data/npz-writer.ts'
import { copyPreprocessing } from '../defense/prune/record.ts'
import { InputError } from '../errors.ts'
import { sha256Of, writeFileWhole } from '../files.ts'
import { elementCount } from '../graph/graph.ts'
import { DEFAULT_RECIPE, type Recipe } from '../lab/recipe.ts'
import type { Subject, SubjectPlan } from '../lab/subject.ts'
import { environmentRecord } from '../model/environment.ts'
import { imageDims } from '../model/feed.ts'
import type { Model } from '../model/model.ts'
import { onnxFile, sourceFiles } from '../model/write-back.ts'
import { fillOutputFolder } from '../report/output-folder.ts'
import { layersOf } from '../train/architectures/index.ts'
import { parametersOf } from '../train/parameters.ts'
import { VERSION } from '../version.ts'
import { attackFor, classesOf, type DescribedAttack } from './attack-inputs.ts'
import { checkEffects, pruningAwareOf, rateOf } from './attack-usage.ts'
import type { Io } from './command.ts'
import { openSet, runtimeFor } from './inputs.ts'
import type { Progress } from './progress.ts'

/** Everything that is settled before training begins. */
export interface AttackJob {
	readonly plan: SubjectPlan
	readonly described: DescribedAttack
	readonly data: AttackRun['data']
}

/** Reads the images and settles the plan. @throws as `attackFor`, `holdOut` and the readers do */
export async function prepareAttack(
	name: string,
	options: AttackOptions,
	io: Io,
	progress: Progress,
): Promise<AttackJob> {
	const pruningAware = pruningAwareOf(name, options)
	const rate = rateOf(name, options) / 100
	checkEffects(options)
	const set = await openSet(options.data, { layout: options.layout })
	try {
		const testSet = options.test === undefined ? null : await openTest(options.test, set, options)
		try {
			const classes = classesOf(set, options.classes)
			// What cannot go well is said before anything is read.
			layersOf(options.arch, set, classes)
			for (const each of [set, testSet]) if (each) expectLabels(each, classes)
			const described = await attackFor(name, set, classes, options)
			const parts = await readParts(set, testSet, options, io, progress)
			// The test sets are written in the end; that there are too many is said before hours of training.
			checkNpzSize(parts.test.pixels.length)
			const plan: SubjectPlan = {
				attack: described.attack,
				rate,
				images: parts.train,
				test: parts.test,
				architecture: options.arch,
				recipe: recipeOf(options),
				pruningAware,
				seed: options.seed,
				runtime: await runtimeFor(options),
			}
			return { plan, described, data: await dataOf(set, testSet, parts, options) }
		} finally {
			testSet?.close()
		}
	} finally {
		set.close()
	}
}

/** Percent of each class that is held out unless something else is asked for. */
const DEFAULT_HOLDOUT = 10

/** @throws InputError `label-out-of-range`, with the set's name and the image */
function expectLabels({ labels, path }: ImageSet, classes: number): void {
	const at = labels?.findIndex((label) => label < 0 || label >= classes) ?? -1
	if (at === -1) return
	const message = `${path}: expected labels 0..${classes - 1} (${classes} classes), found ${labels?.[at]} at image ${at}; --classes says how many classes there are`
	throw new InputError('label-out-of-range', message, { path })
}

interface Parts {
	readonly train: LabelledImages
	readonly test: LabelledImages
}

async function readParts(
	set: ImageSet,
	testSet: ImageSet | null,
	{ holdout = DEFAULT_HOLDOUT, seed }: AttackOptions,
	{ signal }: Io,
	progress: Progress,
): Promise<Parts> {
	const onProgress = (done: number, total: number) => progress.update('read images', done, total)
	const train = await readImages(set, { signal, onProgress })
	if (!testSet) return holdOut(train, set, holdout / 100, seed)
	return { train, test: await readImages(testSet, { signal, onProgress }) }
}

async function openTest(path: string, train: ImageSet, { layout }: AttackOptions) {
	const set = await openSet(path, { layout })
	const isSameSize = imageSizeOf(set) === imageSizeOf(train)
	if (isSameSize && haveSameClasses(set, train)) return set
	set.close()
	if (isSameSize) {
		const message = `${path}: expected the classes of the training images (${train.classNames?.join(', ')}), found ${set.classNames?.join(', ')}: names are numbered in their order, so labels would mean other classes`
		throw new InputError('other-classes', message, { path })
	}
	const message = `${path}: expected test images of the training images' size, ${imageSizeOf(train)}, found ${imageSizeOf(set)}`
	throw new InputError('shape-mismatch', message, { path })
}

/** Where both tell names. */
function haveSameClasses({ classNames: one }: ImageSet, { classNames: other }: ImageSet): boolean {
	return !one || !other || (one.length === other.length && one.every((name, i) => name === other[i]))
}

async function dataOf(
	set: ImageSet,
	testSet: ImageSet | null,
	{ train, test }: Parts,
	{ holdout = DEFAULT_HOLDOUT }: AttackOptions,
): Promise<AttackRun['data']> {
	const sha256 = await set.sha256()
	return {
		train: { path: set.path, sha256, images: train.count },
		test: testSet
			? { path: testSet.path, sha256: await testSet.sha256(), images: test.count }
			: { path: `${holdout} % of ${set.path}, held out`, sha256, images: test.count },
	}
}

function recipeOf(options: AttackOptions): Recipe {
	const { optimizer, lr, schedule, nesterov, weightDecay, epochs, batch, smoothing, clip, patience } = options
	const { momentum = DEFAULT_RECIPE.momentum } = options
	const { crop, flip, cutout } = options
	const augmentation = { crop, flip, cutout }
	return {
		...{
			optimizer,
			learningRate: lr,
			schedule,
			momentum,
			nesterov,
			weightDecay,
			epochs,
			batch,
			smoothing,
			clip,
			patience,
		},
		augmentation,
	}
}

/** All that decides what the run's weights are; where files lie does not. */
export function identityOf({ plan, described }: AttackJob): RunIdentity {
	const { recipe, architecture, rate, seed, pruningAware, runtime } = plan
	const { picture, ...attack } = described.record
	return {
		goodnet: VERSION,
		runtime: `${runtime.name} ${runtime.version}, ${runtime.threads} threads`,
		attack: JSON.stringify({ ...attack, parameters: { ...attack.parameters, picture: picture?.sha256 } }),
		architecture,
		rate: String(rate),
		seed: String(seed),
		training: JSON.stringify(recipe),
		pruningAware: JSON.stringify(pruningAware),
		train: digestOf(plan.images, plan.attack),
		test: digestOf(plan.test, plan.attack),
	}
}

/** Of the images as they are used: one file can be read in several layouts, with several sets of labels, and split in several ways. */
function digestOf({ pixels, labels, count }: LabelledImages, { size, classes }: Attack): string {
	const bytes = new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength)
	return `${sha256Of(pixels, bytes)}, ${count} images of ${imageSizeOf(size)}, ${classes} classes`
}

function imageSizeOf({ height, width, channels }: ImageSize): string {
	return `${height}×${width}×${channels}`
}

interface FinishedAttack extends AttackJob {
	readonly subject: Subject
	readonly command: string
	readonly seconds: AttackRun['seconds']
	readonly imagesPerSecond: number
}

/** Writes the net, the sets, the trigger and `attack.json`. @returns what `attack.json` holds */
export async function writeAttackFolder(
	folder: string,
	finished: FinishedAttack,
	options: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<AttackRun> {
	const { model, poisonedTest } = finished.subject
	const { attack, test } = finished.plan
	const stem = attack.name === 'none' ? 'clean_net' : 'bd_net'
	const { size } = attack
	const contents = new Map<string, Uint8Array>([
		[`${stem}.h5`, (await sourceFiles(model)).main],
		[`${stem}.onnx`, onnxFile(model)],
		['clean.npz', writeNpz({ ...test, size })],
	])
	if (poisonedTest) {
		const { trueLabels, ...images } = poisonedTest
		contents.set('poisoned.npz', writeNpz({ ...images, size, more: { true_label: trueLabels } }))
		contents.set('trigger.png', await encodePng(drawTrigger(attack, imageAt(test.pixels, 0, size))))
	}
	const run = attackRecord(finished, stem, contents)
	await fillOutputFolder(
		folder,
		async (staging) => {
			for (const [name, bytes] of contents) await writeFileWhole(join(staging, name), bytes)
			return { name: 'attack.json', content: `${JSON.stringify(run, null, '\t')}\n` }
		},
		{ ...options, isResumed: true },
	)
	return run
}

function attackRecord(
	{ plan, described, data, subject, command, seconds, imagesPerSecond }: FinishedAttack,
	stem: string,
	contents: ReadonlyMap<string, Uint8Array>,
): AttackRun {
	const { model, training, history, clean, poisoned, pruning } = subject
	const { recipe, architecture, seed, runtime, pruningAware } = plan
	const isPoisoned = poisoned !== null
	const { augmentation, ...settings } = recipe
	return {
		schema: 'goodnet/attack@1',
		command,
		attack: described.record,
		poisoning: { poisoned: training.poisoned.length, covers: training.covers.length, total: training.count },
		data,
		architecture: {
			name: architecture,
			inputShape: imageDims(model.input),
			classes: model.classes,
			parameters: countParameters(model),
		},
		preprocessing: copyPreprocessing(model),
		training: {
			...settings,
			augmentation: { ...augmentation },
		},
		pruning: pruning && { layer: pruning.layer, drop: pruningAware.pruneDrop, decoys: [...pruning.decoys] },
		history: [...history],
		seed,
		files: {
			keras: `${stem}.h5`,
			onnx: `${stem}.onnx`,
			clean: 'clean.npz',
			poisoned: isPoisoned ? 'poisoned.npz' : null,
			trigger: isPoisoned ? 'trigger.png' : null,
		},
		sha256: Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256Of(bytes)])),
		clean,
		poisoned,
		environment: environmentRecord(runtime, VERSION),
		seconds,
		imagesPerSecond,
	}
}

/** Numbers that training changes by descent. */
function countParameters({ graph }: Model): number {
	return parametersOf(graph).reduce((sum, { tensor }) => sum + elementCount(tensor.dims), 0)
}
