/** The sentences that verdicts on any repair share. */
import type { PoisonedCount } from '../contracts/prune-run.ts'
import { wilson } from '../metrics/interval.ts'
import { cleanCount, cleanSetOf } from './clean-set.ts'
import { capitalized, formatOf, formatRate, formatShare, formatUpperBound } from './format.ts'
import type { MeasuredNet, MeasuredOutcome } from './judge.ts'
import type { ReportedNet, ReportedRun } from './reported-run.ts'

/** A verdict in two: one sentence that answers the question, and what else there is to say, or `''`. */
export interface VerdictParts {
	readonly finding: string
	readonly remark: string
	/** How good the news is: the colour beside it. */
	readonly tone: 'good' | 'warn' | 'bad' | 'plain'
	/** The repaired net that it speaks of; null where there is none. */
	readonly net: ReportedNet | null
}

export const TONES: Record<MeasuredOutcome, VerdictParts['tone']> = {
	repaired: 'good',
	'repaired-dearly': 'warn',
	'too-few-images': 'warn',
	weakened: 'warn',
	'not-repaired': 'bad',
}

/** What came out, of `subject`: `Pruning`, `The method ft-sam`. */
export function opening(subject: string, outcome: MeasuredOutcome): string {
	switch (outcome) {
		case 'repaired':
			return `${subject} repaired this net`
		case 'repaired-dearly':
			return `${subject} removed the trigger, but at a high price`
		case 'too-few-images':
			return `${subject} may have repaired this net, but there are too few poisoned images to tell`
		case 'weakened':
			return `${subject} weakened the trigger but did not remove it`
		case 'not-repaired':
			return `${subject} did not repair this net`
	}
}

/** One sentence: an opening, then the counts behind it. */
export function measuredSentence(run: ReportedRun, net: MeasuredNet, words: string, outcome: MeasuredOutcome): string {
	const { hits, total } = net.poisoned
	const works = outcome === 'weakened' || outcome === 'not-repaired' ? 'still works' : 'works'
	const before = run.before?.poisoned
	const counts = `${formatOf(hits, total)}${before ? `; before: ${formatShare(before.hits, before.total)}` : ''}`
	const doubt = outcome === 'too-few-images' && hits > 0 ? `, so ASR may be as high as ${highest(net.poisoned)}` : ''
	const trigger = `the trigger ${works} on ${formatRate(hits, total)} of poisoned images (${counts})${doubt}`
	const where = place(run, net)
	return `${words}: ${where === '' ? '' : `${where}, `}${trigger}${goodnetClause(net)}.`
}

function highest({ hits, total }: PoisonedCount): string {
	return formatUpperBound(wilson(hits, total)?.high ?? 1)
}

/** `at the 4-point drop (clean test accuracy 98.62 % → 92.29 %)`; of the only net the change alone. */
function place(run: ReportedRun, net: ReportedNet): string {
	const change = cleanChange(run, net) ?? ''
	if (net.place === '' || change === '') return `${net.place}${change}`
	return `${net.place} (${change})`
}

/** `clean test accuracy 98.62 % → 92.29 %`, null where it was not measured. */
export function cleanChange(run: Pick<ReportedRun, 'data' | 'before'>, net: ReportedNet): string | null {
	const set = cleanSetOf(run)
	const after = cleanCount(net, set)
	if (!set || !after) return null
	const before = run.before && cleanCount(run.before, set)
	const from = before ? `${formatShare(before.correct, before.total)} → ` : ''
	return `${set.phrase} ${from}${formatShare(after.correct, after.total)}`
}

function goodnetClause({ poisoned, goodnet }: MeasuredNet): string {
	if (goodnet.poisoned === null) return ''
	const { hits, total } = goodnet.poisoned
	if (hits < poisoned.hits) return `; the GoodNet lets ${formatRate(hits, total)} through`
	return hits === 0 ? '; the GoodNet lets none through either' : '; the GoodNet inherits this'
}

export function noTrigger({ hits, total }: PoisonedCount): string {
	const answered = `${formatRate(hits, total)} of poisoned images (${formatOf(hits, total)})`
	return `There was no working trigger to remove: B itself answers the target label on ${answered}.`
}

/** Why ASR is unknown, and what is known all the same; `price` is the change of clean accuracy, with the net's place. */
export function unmeasured({ data }: ReportedRun, doing: string, price: string | null): string {
	const reason = data.poisoned === null ? 'no --poisoned set' : 'no image of the --poisoned set counts'
	const unknown = `ASR was not measured: ${reason}, so whether ${doing} a trigger is unknown`
	return price === null ? `${unknown}.` : `${unknown}; what it costs is known: ${price}.`
}

/** What the nets other than `spokenOf` left of the trigger: `At 2 points ASR is 100 %, at 4 points ASR is 99.20 %.` */
export function otherNets({ nets }: ReportedRun, spokenOf: ReportedNet): string {
	const shares = nets.flatMap(({ poisoned, place: where, short }) =>
		!poisoned || where === spokenOf.place ? [] : [`${short} ASR is ${formatShare(poisoned.hits, poisoned.total)}`],
	)
	const [first = '', ...rest] = shares
	return first === '' ? '' : `${[capitalized(first), ...rest].join(', ')}.`
}
