/**
 * Which label a net may have a backdoor to: the one for which a much smaller trigger suffices than for the others (Wang et al. 2019, section
 * IV.B). Up to 64 labels are all inverted; of more, those whose margin can be raised furthest, and some others to compare with.
 */
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import type { UnlabeledImages } from '../repair/method.ts'
import { type InvertedTrigger, openInverter } from './invert-trigger.ts'
import { marginMaxima } from './margin.ts'

/** Turns the median of absolute deviations into a standard deviation where values are normal. */
const CONSISTENCY = 1.4826
/** Anomaly index above which the authors call a label infected: 95 % of normal values lie below. */
export const ANOMALY_THRESHOLD = 2
/** Images a step: a quarter of the inverter's own; the target's mask still was by far the smallest on the nets tried. */
const BATCH = 8
/** Labels that are inverted side by side. */
const SIDE_BY_SIDE = 8
const STEPS = 150
/** Beyond this, inverting every label takes minutes. */
const MAX_LABELS = 64
/** Of more labels: so many by their margin, and so many spread over the rest, which tell what is usual. */
const BY_MARGIN = 16
const TO_COMPARE = 16

export interface Suspect {
	readonly label: number
	readonly trigger: InvertedTrigger
	/** Deviations below the median norm, in units of the scaled median deviation; 0 for a norm above it. */
	readonly anomaly: number
	readonly isSuspect: boolean
	/** Place by margin, from 1, in a net of so many labels that margins choose whom to invert; else null. */
	readonly marginRank: number | null
}

export interface SuspectOptions {
	readonly seed: number
	/** Labels to invert. Default: all, or of more than 64 those worth it (`labelsToInvert`). */
	readonly labels?: readonly number[]
	/** Steps for each label. Default 150. */
	readonly steps?: number
	readonly signal?: AbortSignal | undefined
	/** Called after each step. */
	readonly onProgress?: OnProgress | undefined
}

/**
 * Every label with its smallest trigger and anomaly index, smallest trigger first.
 *
 * @param images clean pictures of the net's input size
 * @throws UnsupportedError as `gradient` does; InterruptedError
 */
export async function findSuspects(
	model: Model,
	images: UnlabeledImages,
	{ seed, labels: told, steps = STEPS, signal, onProgress }: SuspectOptions,
): Promise<readonly Suspect[]> {
	const { labels, byMargin } = told
		? { labels: told, byMargin: [] }
		: await labelsToInvert(model, { seed, signal, onProgress })
	const sideBySide = Math.min(SIDE_BY_SIDE, labels.length)
	const inverter = await openInverter(model, { batch: BATCH, sideBySide })
	const wishes = labels.map((label) => ({ label }))
	const triggers = await inverter.invertMany(images, wishes, { steps, seed, signal, onProgress })
	const norms = triggers.map(({ norm }) => norm)
	const indices = anomalyIndices(norms)
	return triggers
		.map((trigger, i): Suspect => {
			const anomaly = indices[i]!
			const isSuspect = trigger.isReached && anomaly > ANOMALY_THRESHOLD
			const place = byMargin.indexOf(trigger.label)
			return { label: trigger.label, trigger, anomaly, isSuspect, marginRank: place === -1 ? null : place + 1 }
		})
		.sort((a, b) => a.trigger.norm - b.trigger.norm)
}

/**
 * The labels whose triggers are worth looking for: all of a net of at most 64 classes; else the 16 with the largest margin maxima, and 16 spread
 * evenly over the others. On both face nets of CSAW (1,283 classes) the true target is among the first two by margin.
 *
 * @returns with `byMargin`, all labels, that of the largest margin first; empty where margins were not needed
 * @throws UnsupportedError as `gradient` does; InterruptedError
 */
export async function labelsToInvert(
	model: Model,
	options: Pick<SuspectOptions, 'seed' | 'signal' | 'onProgress'>,
): Promise<{ readonly labels: readonly number[]; readonly byMargin: readonly number[] }> {
	const all = [...Array(model.classes).keys()]
	if (all.length <= MAX_LABELS) return { labels: all, byMargin: [] }
	const maxima = await marginMaxima(model, options)
	const byMargin = all.toSorted((a, b) => maxima[b]! - maxima[a]!)
	const rest = byMargin.slice(BY_MARGIN)
	const stride = Math.floor(rest.length / TO_COMPARE)
	const compared = rest.filter((_, i) => i % stride === 0).slice(0, TO_COMPARE)
	return { labels: [...byMargin.slice(0, BY_MARGIN), ...compared], byMargin }
}

/**
 * `(median − norm) / (1.4826 · MAD)`, and 0 where that is negative: only small norms are suspicious. Where more than half of the norms are
 * equal, others have an infinite index.
 */
export function anomalyIndices(norms: readonly number[]): readonly number[] {
	const middle = median(norms)
	const deviation = CONSISTENCY * median(norms.map((norm) => Math.abs(norm - middle)))
	return norms.map((norm) => (norm < middle ? (middle - norm) / deviation : 0))
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b)
	const half = (sorted.length - 1) / 2
	return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
}
