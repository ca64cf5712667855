/** What a repair was, in words: its method, what it was chosen by, and whom it suspects. */
import type { RepairRun } from '../contracts/repair-run.ts'
import { formatCount } from './format.ts'

/** What DER means, for the captions of a table. */
export const RATING_LINE =
	'DER: (max(0, ASR lost) − max(0, accuracy lost) + 1) / 2; 100 % is a trigger removed for nothing, 50 % nothing won'

/** A line for the method with its parameters, one for each repaired net, one for the labels found suspect. */
export function methodLines({ method, repaired, findings, twin }: RepairRun): string[] {
	const { name, seed, isOracle } = method
	const oracle = isOracle ? '; oracle: it was told something about the trigger' : ''
	const nets = repaired.map((net) => `${net.name === '' ? 'repaired net' : net.name}: ${net.chosenBy}`)
	return [
		`method ${name}: ${parameterText(method)}; seed ${seed}${oracle}`,
		...nets,
		...suspectLines('suspect labels', findings),
		...(twin ? [`clean twin: ${twin.path}`, ...suspectLines('suspect labels of the twin', twin.findings)] : []),
	]
}

/** `epochs 20, lr 0.01`, or that there are none. */
export function parameterText({ parameters }: RepairRun['method']): string {
	const texts = Object.entries(parameters).map(([name, value]) => `${name} ${showParameter(value)}`)
	return texts.join(', ') || 'no parameters'
}

/** A parameter's value as one types it. */
export function showParameter(value: RepairRun['method']['parameters'][string]): string {
	return Array.isArray(value) ? value.join(',') : String(value)
}

function suspectLines(name: string, { suspects }: RepairRun['findings']): string[] {
	if (suspects === null) return []
	const found = suspects.labels.filter(({ isSuspect }) => isSuspect)
	const labels = found.map(({ label, score }) => `${formatCount(label)} (${score.toPrecision(3)})`)
	return [`${name} (${suspects.quantity}): ${labels.join(', ') || 'none'}`]
}
