/** Whether the repair worked, said honestly and in full sentences. */
import type { PoisonedCount, PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { wilson } from '../metrics/interval.ts'
import { chosenPlace, chosenShort } from './chosen.ts'
import { baselineOf, cleanCount, cleanSetOf } from './clean-set.ts'
import { formatDrop, formatOf, formatRate, formatShare, formatUpperBound } from './format.ts'
import { cheapestRemoval, judge, type MeasuredOutcome, type MeasuredRecord, priceOf } from './judge.ts'
import { farthestDrop } from './rows.ts'

/** Whether pruning repaired the net of `run`, by which counts and at which price; then the cheapest net that does, if another. */
export function verdict(run: PruneRun): string {
	const { finding, remark } = verdictParts(run)
	return remark === '' ? finding : `${finding} ${remark}`
}

/** The verdict in two: one sentence that answers the question, and what the other nets did, or `''`. */
export function verdictParts(run: PruneRun): { finding: string; remark: string } {
	const judgement = judge(run)
	switch (judgement.outcome) {
		case 'nothing-pruned':
			return { finding: nothingPruned(run), remark: curveRemark(run) }
		case 'not-measured':
			return { finding: notMeasured(run, judgement.record), remark: '' }
		case 'no-trigger':
			return { finding: noTrigger(judgement.before), remark: '' }
		case 'repaired':
		case 'repaired-dearly':
			return { finding: measured(run, judgement.record, judgement.outcome), remark: cheapestDropRemark(run) }
		default:
			return {
				finding: measured(run, judgement.record, judgement.outcome),
				remark: [smallerDropsRemark(run, judgement.record), curveRemark(run)].filter((each) => each !== '').join(' '),
			}
	}
}

const OPENINGS: Record<MeasuredOutcome, string> = {
	repaired: 'Pruning repaired this net',
	'repaired-dearly': 'Pruning removed the trigger, but at a high price',
	'too-few-images': 'Pruning may have repaired this net, but there are too few poisoned images to tell',
	weakened: 'Pruning weakened the trigger but did not remove it',
	'not-repaired': 'Pruning did not repair this net',
}

function measured(run: PruneRun, record: MeasuredRecord, outcome: MeasuredOutcome): string {
	const { hits, total } = record.poisoned
	const works = outcome === 'weakened' || outcome === 'not-repaired' ? 'still works' : 'works'
	const before = baselineOf(run)?.poisoned
	const counts = `${formatOf(hits, total)}${before ? `; before: ${formatShare(before.hits, before.total)}` : ''}`
	const doubt = outcome === 'too-few-images' && hits > 0 ? `, so ASR may be as high as ${highest(record.poisoned)}` : ''
	const trigger = `the trigger ${works} on ${formatRate(hits, total)} of poisoned images (${counts})${doubt}`
	return `${OPENINGS[outcome]}: ${place(run, record)}, ${trigger}${goodnetClause(record)}.`
}

function highest({ hits, total }: PoisonedCount): string {
	return formatUpperBound(wilson(hits, total)?.high ?? 1)
}

/** `at the 4-point drop (clean test accuracy 98.62 % → 92.29 %)` */
function place(run: PruneRun, record: RepairedRecord): string {
	const net = chosenPlace(record)
	const change = cleanChange(run, record)
	return change === null ? net : `${net} (${change})`
}

/** `clean test accuracy 98.62 % → 92.29 %`, null where it was not measured. */
function cleanChange(run: PruneRun, record: RepairedRecord): string | null {
	const set = cleanSetOf(run)
	const after = cleanCount(record, set)
	if (!set || !after) return null
	const baseline = baselineOf(run)
	const before = baseline && cleanCount(baseline, set)
	const from = before ? `${formatShare(before.correct, before.total)} → ` : ''
	return `${set.phrase} ${from}${formatShare(after.correct, after.total)}`
}

function channels(count: number): string {
	return count === 1 ? '1 channel' : `${count} channels`
}

function goodnetClause({ poisoned, goodnet }: MeasuredRecord): string {
	if (goodnet.poisoned === null) return ''
	const { hits, total } = goodnet.poisoned
	if (hits < poisoned.hits) return `; the GoodNet lets ${formatRate(hits, total)} through`
	return hits === 0 ? '; the GoodNet lets none through either' : '; the GoodNet inherits this'
}

function noTrigger({ hits, total }: PoisonedCount): string {
	const answered = `${formatRate(hits, total)} of poisoned images (${formatOf(hits, total)})`
	return `There was no working trigger to remove: B itself answers the target label on ${answered}.`
}

function notMeasured(run: PruneRun, record: RepairedRecord): string {
	const reason = run.data.poisoned === null ? 'no --poisoned set' : 'no image of the --poisoned set counts'
	const isGiven = record.chosenBy === 'given'
	const subject = isGiven ? `pruning the ${channels(record.pruned)} given by hand` : 'pruning'
	const unknown = `ASR was not measured: ${reason}, so whether ${subject} removes a trigger is unknown`
	const change = cleanChange(run, record)
	if (change === null) return `${unknown}.`
	const price = isGiven ? change : `${change} ${chosenPlace(record)}`
	return `${unknown}; what it costs is known: ${price}.`
}

function nothingPruned(run: PruneRun): string {
	const asked = run.notReached.map(formatDrop).join(' or ')
	const reason = asked === '' ? 'no drop was asked for' : `no net reached a drop of ${asked} points`
	const reach = farthestDrop(run)
	return `Nothing was repaired: ${reason}${reach === null ? '' : `; ${reach}`}.`
}

function cheapestDropRemark(run: PruneRun): string {
	const drops = run.repaired.flatMap(({ drop }) => (drop === null ? [] : [drop])).sort((a, b) => a - b)
	if (drops.length < 2 || drops.length < run.repaired.length) return ''
	return `Of the drops ${drops.map(formatDrop).join(', ')} this is the cheapest that brings ASR below 5 %.`
}

/** What the nets before the one spoken of left of the trigger: `At 2 and 4 points: 100 %.` */
function smallerDropsRemark(run: PruneRun, spokenOf: RepairedRecord): string {
	const shares = run.repaired.flatMap((record) => {
		const { poisoned } = record
		if (!poisoned || chosenPlace(record) === chosenPlace(spokenOf)) return []
		return [`${chosenShort(record)} ASR is ${formatShare(poisoned.hits, poisoned.total)}`]
	})
	const [first = '', ...rest] = shares
	return first === '' ? '' : `${[first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(', ')}.`
}

function curveRemark(run: PruneRun): string {
	const cheapest = cheapestRemoval(run)
	if (cheapest === undefined) return ''
	if (cheapest === null) return 'No net of the curve brings ASR below 5 % beyond doubt.'
	const points = priceOf(run, cheapest)
	const cost = points === null ? '' : ` and costs ${points.toFixed(2)} points of ${cleanSetOf(run)?.phrase}`
	const net = `prunes ${channels(cheapest.pruned)}${cost}`
	return `The cheapest net of the curve with ASR below 5 % ${net} (oracle: found by looking at the poisoned set).`
}
