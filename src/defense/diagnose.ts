/**
 * Is the model fed what it expects? A net that answers at chance on labelled clean images has nearly always been given pixels in the
 * wrong range, order or layout, and every figure measured then would be worthless. So a small sample is tried first; if it fails, the
 * usual mistakes are tried on it as well, and the error says which of them would work.
 */
import type { ImageSet } from '../data/image-set.ts'
import { memoryImages } from '../data/memory.ts'
import { InputError } from '../errors.ts'
import { wilson } from '../metrics/interval.ts'
import type { Model } from '../model/model.ts'
import { predictLabels } from '../model/predict.ts'
import { type Mistake, usualMistakes } from './mistakes.ts'

/** Enough to tell a working net from chance, a second's work for a small net. */
const SAMPLE = 128
/** Fewer images than this prove nothing either way. */
const MIN_SAMPLE = 20
/** A net for many classes may beat chance and still be fed wrongly; no usable classifier is this bad. */
const USELESS_RATE = 0.05

/** A sample like this tells a working net from a constant answer no more. */
const MOSTLY_ONE_CLASS = 0.5

/**
 * @throws InputError `near-chance` naming the likely cause, where the model's accuracy on a sample cannot be told from chance; see
 * `diagnoseInput`
 */
export async function checkInput(model: Model, images: ImageSet, signal?: AbortSignal): Promise<void> {
	const diagnosis = await diagnoseInput(model, images, signal)
	if (diagnosis === null) return
	throw new InputError('near-chance', `${diagnosis} (--no-check goes on all the same)`, { path: images.path })
}

/**
 * What seems to be wrong with how the model is fed, in one sentence; null where it answers better than chance. Sets without labels,
 * sets of mostly one class, GoodNets and very small sets cannot be judged and give null as well.
 */
export async function diagnoseInput(model: Model, images: ImageSet, signal?: AbortSignal): Promise<string | null> {
	if (!images.labels || images.count < MIN_SAMPLE || model.kind === 'goodnet') return null
	const sample = await sampleOf(images, signal)
	const chance = chanceOn(sample, model.classes)
	const rate = await accuracy(model, sample, {}, signal)
	if (chance === null || !isNearChance(rate, sample.count, model.classes, chance)) return null
	const best = await bestCure(model, images, sample, signal)
	const isCure = !isNearChance(best.rate, sample.count, model.classes, chance) && isMuchBetter(best.rate, rate)
	const advice = isCure ? `${best.cure} would give ${showRate(best.rate)}` : NO_CURE
	const what = `the model is right on ${showRate(rate)} of a sample of ${sample.count} images, no better than chance`
	return `${images.path}: ${what}; ${advice}`
}

const NO_CURE =
	'none of the usual mistakes explains it (range 0–1 against 0–255, mean and std, colour order, layout, labels counted from one); is this the right data for this model?'

function showRate(rate: number): string {
	return `${(rate * 100).toFixed(1)} %`
}

async function bestCure(model: Model, images: ImageSet, sample: ImageSet, signal?: AbortSignal) {
	let best = { cure: '', rate: 0 }
	for (const mistake of usualMistakes(model, images)) {
		const rate = await accuracy(model, sample, mistake, signal)
		if (rate > best.rate) best = { cure: mistake.cure, rate }
	}
	return best
}

function isNearChance(rate: number, count: number, classes: number, chance: number): boolean {
	const low = wilson(Math.round(rate * count), count)?.low ?? 0
	return low <= chance || (rate < USELESS_RATE && classes > 2 / USELESS_RATE)
}

/** Clearly more than the luck of trying several things. */
function isMuchBetter(rate: number, before: number): boolean {
	return rate > before + 0.2 || rate > 3 * before
}

async function accuracy(
	model: Model,
	sample: ImageSet,
	{ preprocessing, layout, labelOffset = 0 }: Partial<Mistake>,
	signal?: AbortSignal,
): Promise<number> {
	const tried: Model = { ...model, preprocessing: { ...model.preprocessing, ...preprocessing } }
	const images = layout ? { ...sample, layout } : sample
	const labels = await predictLabels(tried, images, { signal })
	return labels.filter((label, i) => label === sample.labels![i]! + labelOffset).length / sample.count
}

/** What the best constant answer gets right; null where one class fills the sample, so that nothing can be told from it. */
function chanceOn({ labels, count }: ImageSet, classes: number): number | null {
	const share = largestShare(labels!, count)
	return share > MOSTLY_ONE_CLASS ? null : Math.max(share, 1 / classes)
}

function largestShare(labels: Int32Array, count: number): number {
	const counts = new Map<number, number>()
	for (const label of labels.subarray(0, count)) counts.set(label, (counts.get(label) ?? 0) + 1)
	return Math.max(...counts.values()) / count
}

/** The first images; or, where they are mostly of one class, because the set is sorted, images from all over it. */
async function sampleOf(images: ImageSet, signal?: AbortSignal): Promise<ImageSet> {
	const count = Math.min(images.count, SAMPLE)
	const isSorted = largestShare(images.labels!, count) > MOSTLY_ONE_CLASS
	const step = isSorted ? Math.floor(images.count / count) : 1
	const { path, height, width, channels, layout, classNames } = images
	const size = height * width * channels
	const pixels = new Float32Array(count * size)
	const labels = Int32Array.from({ length: count }, (_, i) => images.labels![i * step]!)
	let filled = 0
	for await (const batch of images.batches(SAMPLE, signal)) {
		for (; filled < count && filled * step < batch.start + batch.count; filled++) {
			const from = (filled * step - batch.start) * size
			pixels.set(batch.pixels.subarray(from, from + size), filled * size)
		}
		if (filled === count) break
	}
	return memoryImages({ path, pixels, count, height, width, channels, layout, labels, classNames })
}
