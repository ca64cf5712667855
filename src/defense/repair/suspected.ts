/** The labels that a repair by inverted triggers works against: told, or found on clean pictures. */
import type { RepairFindings } from '../../contracts/repair-run.ts'
import { UsageError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import { ANOMALY_THRESHOLD, findSuspects } from '../invert/suspects.ts'
import type { Repair, RepairContext, UnlabeledImages } from './method.ts'
import type { ParameterTable } from './parameters.ts'

/** Told or not. */
const UNKNOWN = -1
/** Labels that a record tells of beside the suspects. */
const SHOWN = 10

/** The target of both face nets of CSAW is first or second by margin with every seed tried, while its trigger is not always among the smallest. */
const BY_MARGIN = 2

export const LABEL_PARAMETERS = {
	label: {
		meaning: 'the target label where it is known, which makes every figure an oracle’s; -1: find it',
		default: UNKNOWN,
		low: UNKNOWN,
		high: 1e6,
		isWhole: true,
	},
} as const satisfies ParameterTable

/** Was the target label told? Then every figure is an oracle's. */
export function isLabelTold({ label }: { readonly label: number }): boolean {
	return label !== UNKNOWN
}

/** `label 3`, `labels 3, 7`. */
export function namedLabels(labels: readonly number[]): string {
	return `${labels.length === 1 ? 'label' : 'labels'} ${labels.join(', ')}`
}

/** What a method hands out that leaves the net alone. @param why in words */
export function leftAlone(model: Model, findings: RepairFindings, why = 'no label is suspect'): Repair {
	return { points: [{ name: '', chosenBy: `${why}: the net as it was`, model }], findings }
}

export interface Suspected {
	/** Most suspicious first; empty where no label stands out. */
	readonly labels: readonly number[]
	/** Of a net of very many labels the few with the largest margins, whatever their triggers' size; else empty. */
	readonly byMargin: readonly number[]
	/** Norm of an inverted trigger from which on it is no smaller than those of other labels: their median. Infinite where unknown. */
	readonly usualNorm: number
	readonly findings: RepairFindings['suspects']
}

/**
 * @param images clean pictures of the net's input size
 * @throws UsageError `bad-parameter` for a label that the net does not have; UnsupportedError as `gradient` does
 */
export async function suspectedLabels(
	model: Model,
	images: UnlabeledImages,
	{ parameters: { label }, seed, signal, onProgress }: RepairContext<typeof LABEL_PARAMETERS>,
): Promise<Suspected> {
	const { classes } = model
	if (label >= classes) {
		const message = `--set label: expected -1 or a label 0..${classes - 1}, found ${label}`
		throw new UsageError('bad-parameter', message)
	}
	const found = await findSuspects(model, images, {
		...{ seed, signal },
		onProgress: (done, total) => onProgress?.('suspects', done, total),
	})
	const norms = found.map(({ trigger }) => trigger.norm)
	const listed = found.filter(({ isSuspect }, i) => isSuspect || i < SHOWN)
	return {
		labels: isLabelTold({ label }) ? [label] : found.filter(({ isSuspect }) => isSuspect).map((each) => each.label),
		byMargin: found
			.filter(({ marginRank }) => marginRank !== null && marginRank <= BY_MARGIN)
			.map((each) => each.label),
		usualNorm: norms[Math.floor(norms.length / 2)]!,
		findings: {
			quantity: `anomaly index of the inverted trigger's size; a suspect has more than ${ANOMALY_THRESHOLD}`,
			labels: listed.map(({ label: each, anomaly, isSuspect }) => ({ label: each, score: anomaly, isSuspect })),
		},
	}
}
