/** The clean data of a repair: what it learns from, and what it chooses by, never the same images. */
import type { ImageSet, ImageSize } from '../../data/image-set.ts'
import { type LabelledImages, readImages, readPixels } from '../../data/labelled.ts'
import { memoryImages } from '../../data/memory.ts'
import { splitImages } from '../../data/split.ts'
import { InputError, UsageError } from '../../errors.ts'
import { checkLabels } from '../labels.ts'
import type { RepairData, RepairMethod } from './method.ts'

/** Sets as they were opened. */
export interface CleanSets {
	/** One set that is divided into tuning and validation images; goes with neither of them. */
	readonly data?: ImageSet | undefined
	readonly tuning?: ImageSet | undefined
	readonly valid?: ImageSet | undefined
	/** Pictures whose labels are not looked at. */
	readonly unlabeled?: ImageSet | undefined
}

export interface CleanOptions {
	readonly classes: number
	/** Share of `data` that becomes validation images. */
	readonly share: number
	readonly seed: number
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Of one clean set, a fifth chooses. */
export const DEFAULT_SHARE = 0.2

/**
 * Reads the clean sets into memory and divides what must be divided.
 *
 * @throws UsageError `no-data`, `conflicting-options`; InputError `same-set`, `single-class`, `no-labels`, `label-out-of-range`, `too-few-images`
 */
export async function readCleanData(method: RepairMethod, sets: CleanSets, options: CleanOptions): Promise<RepairData> {
	checkGiven(method, sets)
	await checkDistinct(sets)
	const { tuning, valid } = await labelledParts(method, sets, options)
	for (const set of [tuning, valid]) if (set) checkClasses(set.images, set.path)
	const unlabeled = sets.unlabeled
		? { ...sizeOf(sets.unlabeled), pixels: await readPixels(sets.unlabeled, options), count: sets.unlabeled.count }
		: tuning && { ...tuning.size, pixels: tuning.images.pixels, count: tuning.images.count }
	return {
		tuning: tuning && { ...tuning.size, ...tuning.images },
		valid:
			valid && memoryImages({ path: valid.path, ...valid.images, ...valid.size, layout: 'NHWC', classNames: null }),
		unlabeled,
	}
}

/** Is one set divided for this method? A method that only chooses has all of it to choose by. */
export function isDivided({ needs }: RepairMethod): boolean {
	return needs.some((need) => need !== 'valid')
}

function checkGiven({ name, needs }: RepairMethod, { data, tuning, valid, unlabeled }: CleanSets): void {
	if (data && (tuning || valid)) {
		const message = '--data is divided into tuning and validation images; it does not go with --tuning-data or --valid'
		throw new UsageError('conflicting-options', message)
	}
	const missing = needs.find((need) => {
		if (need === 'unlabeled') return !unlabeled && !data && !tuning
		return !data && !(need === 'tuning' ? tuning : valid)
	})
	if (missing === undefined) return
	const ways = {
		tuning: 'clean labelled images to learn from: --data PATH, or --tuning-data PATH with --valid PATH',
		valid: 'clean labelled images to choose by: --data PATH, or --valid PATH beside --tuning-data',
		unlabeled: 'clean pictures, which need no labels: --unlabeled PATH, or --data PATH',
	}
	throw new UsageError('no-data', `${name} needs ${ways[missing]}`)
}

/** @throws InputError `same-set` */
async function checkDistinct({ tuning, valid }: CleanSets): Promise<void> {
	if (!tuning || !valid || tuning.count !== valid.count) return
	if ((await tuning.sha256()) !== (await valid.sha256()) || tuning.path.split(':')[1] !== valid.path.split(':')[1])
		return
	const message = `--tuning-data ${tuning.path} and --valid ${valid.path} are the same images: what a net has learned cannot choose it; give one set with --data, which is divided`
	throw new InputError('same-set', message, { path: valid.path })
}

interface Part {
	readonly path: string
	readonly images: LabelledImages
	readonly size: ImageSize
}

async function labelledParts(
	method: RepairMethod,
	{ data, tuning, valid }: CleanSets,
	options: CleanOptions,
): Promise<{ readonly tuning: Part | null; readonly valid: Part | null }> {
	const read = async (set: ImageSet): Promise<Part> => {
		checkLabels(set, options.classes)
		return { path: set.path, images: await readImages(set, options), size: sizeOf(set) }
	}
	if (!data) return { tuning: tuning ? await read(tuning) : null, valid: valid ? await read(valid) : null }
	const whole = await read(data)
	if (!isDivided(method)) return { tuning: null, valid: whole }
	const { kept, split } = splitImages(whole.images, whole.size, options.share, options.seed)
	return { tuning: { ...whole, images: kept }, valid: { ...whole, images: split } }
}

/** Nothing can be learned or told from one class. @throws InputError `single-class` */
function checkClasses({ labels, count }: LabelledImages, path: string): void {
	if (labels.some((label) => label !== labels[0])) return
	const message = `${path}: expected images of at least two classes, found ${count} of class ${labels[0]} alone`
	throw new InputError('single-class', message, { path })
}

function sizeOf({ height, width, channels }: ImageSet): ImageSize {
	return { height, width, channels }
}
