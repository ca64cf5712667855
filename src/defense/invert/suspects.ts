/**
 * Which label a net may have a backdoor to: the one for which a much smaller trigger suffices than for the others (Wang et al. 2019, section
 * IV.B). Every label is inverted, so this is for nets of few classes.
 */
import type { Model } from '../../model/model.ts'
import type { OnProgress } from '../../model/predict.ts'
import type { UnlabeledImages } from '../repair/method.ts'
import { type InvertedTrigger, openInverter } from './invert-trigger.ts'

/** Turns the median of absolute deviations into a standard deviation where values are normal. */
const CONSISTENCY = 1.4826
/** Anomaly index above which the authors call a label infected: 95 % of normal values lie below. */
export const ANOMALY_THRESHOLD = 2
/** Images a step: a quarter of the inverter's own; the target's mask still was by far the smallest on the nets tried. */
const BATCH = 8
const STEPS = 150

export interface Suspect {
	readonly label: number
	readonly trigger: InvertedTrigger
	/** Deviations below the median norm, in units of the scaled median deviation; 0 for a norm above it. */
	readonly anomaly: number
	readonly isSuspect: boolean
}

export interface SuspectOptions {
	readonly seed: number
	/** Labels to invert. Default: all. */
	readonly labels?: readonly number[]
	/** Steps for each label. Default 150. */
	readonly steps?: number
	readonly signal?: AbortSignal | undefined
	/** Called after each label. */
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
	{ seed, labels = [...Array(model.classes).keys()], steps = STEPS, signal, onProgress }: SuspectOptions,
): Promise<readonly Suspect[]> {
	const inverter = await openInverter(model, { batch: BATCH })
	const triggers: InvertedTrigger[] = []
	for (const label of labels) {
		triggers.push(await inverter.invert(images, { label, steps, seed, signal }))
		onProgress?.(triggers.length, labels.length)
	}
	const norms = triggers.map(({ norm }) => norm)
	const indices = anomalyIndices(norms)
	return triggers
		.map((trigger, i): Suspect => {
			const anomaly = indices[i]!
			return { label: trigger.label, trigger, anomaly, isSuspect: trigger.isReached && anomaly > ANOMALY_THRESHOLD }
		})
		.sort((a, b) => a.trigger.norm - b.trigger.norm)
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
