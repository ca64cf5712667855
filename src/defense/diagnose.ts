/**
 * Is the model fed what it expects? A net that answers at chance on labelled clean images has nearly always been given pixels in the
 * wrong range, order or layout, and every figure measured then would be worthless. So a small sample is tried first; if it fails, the
 * usual mistakes are tried on it as well, and the error says which of them would work.
 */
import type { ImageSet, Layout } from '../data/image-set.ts'
import { memoryImages } from '../data/memory.ts'
import type { Preprocessing } from '../data/preprocess.ts'
import { InputError } from '../errors.ts'
import { wilson } from '../metrics/interval.ts'
import type { Model } from '../model/model.ts'
import { predictLabels } from '../model/predict.ts'

/** Enough to tell a working net from chance, a second's work for a small net. */
const SAMPLE = 128
/** Fewer images than this prove nothing either way. */
const MIN_SAMPLE = 20
/** A net for many classes may beat chance and still be fed wrongly; no usable classifier is this bad. */
const USELESS_RATE = 0.05

/** A sample like this tells a working net from a constant answer no more. */
const MOSTLY_ONE_CLASS = 0.5

interface Try {
	readonly what: string
	readonly preprocessing?: Partial<Preprocessing>
	readonly layout?: Layout
	/** Added to every label of the set. */
	readonly labelOffset?: number
}

/**
 * @throws InputError `near-chance` naming the likely cause, when the model's accuracy on the first images cannot be told from chance.
 * Sets without labels, GoodNets and very small sets pass unseen.
 */
export async function checkPreprocessing(model: Model, images: ImageSet, signal?: AbortSignal): Promise<void> {
	if (!images.labels || images.count < MIN_SAMPLE || model.kind === 'goodnet') return
	const sample = await sampleOf(images, signal)
	const chance = chanceOn(sample, model.classes)
	const rate = await accuracy(model, sample, {}, signal)
	if (chance === null || !isNearChance(rate, sample.count, model.classes, chance)) return
	const results = []
	for (const attempt of attempts(model, images))
		results.push({ attempt, rate: await accuracy(model, sample, attempt, signal) })
	const best = results.sort((a, b) => b.rate - a.rate)[0]
	const percent = (share: number) => `${(share * 100).toFixed(1)} %`
	const isCure =
		best !== undefined && !isNearChance(best.rate, sample.count, model.classes, chance) && isMuchBetter(best.rate, rate)
	const advice = isCure
		? `${best.attempt.what} would give ${percent(best.rate)}`
		: 'none of the usual mistakes explains it (range 0–1 against 0–255, mean and std, colour order, layout, labels counted from one); is this the right data for this model? --no-check measures all the same'
	const message = `${images.path}: the model is right on ${percent(rate)} of a sample of ${sample.count} images, no better than chance; ${advice}`
	throw new InputError('near-chance', message, { path: images.path })
}

function isNearChance(rate: number, count: number, classes: number, chance: number): boolean {
	const low = wilson(Math.round(rate * count), count)?.low ?? 0
	return low <= chance || (rate < USELESS_RATE && classes > 2 / USELESS_RATE)
}

/** Clearly more than the luck of trying several things. */
function isMuchBetter(rate: number, before: number): boolean {
	return rate > before + 0.2 || rate > 3 * before
}

function attempts(model: Model, images: ImageSet): Try[] {
	const { scale, mean, channels } = model.preprocessing
	const isRaw = scale === 1
	const half = Array<number>(model.input.channels).fill(0.5)
	const flag = 'with --scale 1/255'
	return [
		isRaw
			? { what: flag, preprocessing: { scale: 1 / 255 } }
			: { what: 'without --scale', preprocessing: { scale: 1 } },
		{ what: '--scale 255 (the pixels are stored as 0..1)', preprocessing: { scale: 255 } },
		...(mean
			? []
			: [{ what: `${flag} --mean 0.5 --std 0.5`, preprocessing: { scale: 1 / 255, mean: half, std: half } }]),
		...(model.input.channels === 3
			? [
					{
						what: `--colors ${channels === 'rgb' ? 'bgr' : 'rgb'}`,
						preprocessing: { channels: channels === 'rgb' ? 'bgr' : 'rgb' } as const,
					},
				]
			: []),
		...(images.channels > 1 && images.height === images.width
			? [
					{
						what: `--layout ${images.layout === 'NCHW' ? 'NHWC' : 'NCHW'}`,
						layout: images.layout === 'NCHW' ? 'NHWC' : 'NCHW',
					} as const,
				]
			: []),
		{ what: 'labels counted from zero (subtract 1 from each)', labelOffset: -1 },
		{ what: 'labels one higher (add 1 to each)', labelOffset: 1 },
	]
}

async function accuracy(model: Model, sample: ImageSet, attempt: Partial<Try>, signal?: AbortSignal): Promise<number> {
	const tried: Model = { ...model, preprocessing: { ...model.preprocessing, ...attempt.preprocessing } }
	const images = attempt.layout ? { ...sample, layout: attempt.layout } : sample
	const labels = await predictLabels(tried, images, { signal })
	return labels.filter((label, i) => label === sample.labels![i]! + (attempt.labelOffset ?? 0)).length / sample.count
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
