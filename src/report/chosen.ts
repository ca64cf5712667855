/** What a repaired net was chosen by, in words and in file names. */
import type { PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { formatDrop, formatPoints } from './format.ts'

type Chosen = Pick<RepairedRecord, 'chosenBy' | 'drop' | 'u' | 'pruned'>

/** For a cell or a label: `2`, `elbow`, `u = 3`, `given`. */
export function chosenLabel({ chosenBy, drop, u }: Chosen): string {
	if (chosenBy === 'drop') return formatDrop(drop ?? 0)
	return chosenBy === 'threshold' ? `u = ${u}` : chosenBy
}

/** Heading of a column of labels: drops speak for themselves. */
export function chosenHeading({ repaired }: PruneRun): string {
	return repaired.some(({ chosenBy }) => chosenBy === 'elbow' || chosenBy === 'threshold') ? 'chosen by' : 'drop'
}

/** What the labels of a run mean, a line each; and that there is no elbow, where it was looked for in vain. */
export function chosenLines({ repaired, elbow }: PruneRun): string[] {
	const threshold = repaired.find(({ chosenBy }) => chosenBy === 'threshold')
	return [
		...(elbow === null
			? []
			: [elbow > 0 ? `elbow: ${ELBOW}` : 'elbow: none; accuracy falls from the first channel on']),
		...(threshold
			? [
					`${chosenLabel(threshold)}: all channels more than ${threshold.u} standard ${threshold.u === 1 ? 'deviation' : 'deviations'} above the mean of their layer`,
				]
			: []),
	]
}

/** The rule of the elbow, as `hasFallen` has it. */
const ELBOW =
	'the last net before clean validation accuracy has fallen by more than 1 point and more than chance explains (McNemar, p < 0.05)'

/** Within a name: `the 2-point net`, `the net at the elbow`. */
export function chosenNet(net: Chosen): string {
	if (net.chosenBy === 'drop') return `the ${formatDrop(net.drop ?? 0)}-point net`
	return net.chosenBy === 'given' ? 'the net given by hand' : `the net ${chosenPlace(net)}`
}

/** Where it stands: `at the 2-point drop`, `at the elbow`, `with the 4 channels given by hand`. */
export function chosenPlace({ chosenBy, drop, u, pruned }: Chosen): string {
	switch (chosenBy) {
		case 'drop':
			return `at the ${formatDrop(drop ?? 0)}-point drop`
		case 'elbow':
			return 'at the elbow'
		case 'threshold':
			return `at the threshold u = ${u}`
		case 'given':
			return `with the ${pruned} ${pruned === 1 ? 'channel' : 'channels'} given by hand`
	}
}

/** As the subject of a sentence: `At 2 points`, `At the elbow`. */
export function chosenShort(net: Chosen): string {
	return net.chosenBy === 'drop' ? `at ${formatPoints(net.drop ?? 0)}` : chosenPlace(net)
}

/** What its files are called after: `repaired_2.h5`, `repaired_elbow.h5`, `repaired_u3.h5`, `repaired_4_channels.h5`. */
export function chosenSuffix({ chosenBy, drop, u, pruned }: Chosen): string {
	switch (chosenBy) {
		case 'drop':
			return formatDrop(drop ?? 0)
		case 'elbow':
			return 'elbow'
		case 'threshold':
			return `u${u}`
		case 'given':
			return `${pruned}_channels`
	}
}
