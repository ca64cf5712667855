/** B against its repaired twin on the very same clean images: McNemar's exact test (McNemar 1947), from counts the run already has. */
import { mcnemar } from '../metrics/mcnemar.ts'
import { cleanCount, cleanSetOf } from './clean-set.ts'
import type { ReportedRun } from './reported-run.ts'

/** Below this a p-value says no more than "surely different". */
const SMALLEST_P = 0.001

/**
 * One line for each repaired net: how many images only B, and only the repaired net, got right, and how likely so uneven a split is
 * if both were equally good. A GoodNet is right exactly where both are, which gives the two counts.
 */
export function pairedLines(run: ReportedRun): string[] {
	const { twin } = run
	return [...linesOf(run, run, 'B', ''), ...(twin ? linesOf(run, twin, 'the clean twin', ' of the twin') : [])]
}

function linesOf(
	{ data }: ReportedRun,
	{ before: original, nets }: Pick<ReportedRun, 'before' | 'nets'>,
	name: string,
	whose: string,
): string[] {
	const set = cleanSetOf({ data })
	const before = original && cleanCount(original, set)
	if (!before) return []
	return nets.flatMap((net) => {
		const after = cleanCount(net, set)
		const both = cleanCount(net.goodnet, set)
		if (!after || !both) return []
		const [onlyBefore, onlyRepaired] = [before.correct - both.correct, after.correct - both.correct]
		return [
			`${name} against ${net.name}${whose}: ${onlyBefore} images only ${name} gets right, ${onlyRepaired} only the repaired net; McNemar ${formatP(mcnemar(onlyBefore, onlyRepaired))}`,
		]
	})
}

/** `p = 0.065`, or that it is tiny. */
export function formatP(p: number): string {
	return p < SMALLEST_P ? `p < ${SMALLEST_P}` : `p = ${p.toFixed(3)}`
}
