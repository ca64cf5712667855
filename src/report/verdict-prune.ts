/** Whether pruning repaired a net. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { cleanSetOf } from './clean-set.ts'
import { formatDrop } from './format.ts'
import { cheapestRemoval, judge, priceOf } from './judge.ts'
import { farthestDrop } from './reach.ts'
import { type ReportedNet, type ReportedRun, reportedRun } from './reported-run.ts'
import {
	cleanChange,
	measuredSentence,
	noTrigger,
	opening,
	otherNets,
	TONES,
	unmeasured,
	type VerdictParts,
} from './verdict-words.ts'

/** The verdict on a run of `prune`. */
export function pruneVerdict(run: PruneRun): VerdictParts {
	const reported = reportedRun(run)
	const judgement = judge(reported)
	const { outcome, net } = judgement
	switch (outcome) {
		case 'nothing-repaired':
			return { finding: nothingPruned(run), remark: curveRemark(run), tone: 'bad', net }
		case 'not-measured':
			return { finding: notMeasured(run, reported, net), remark: '', tone: 'plain', net }
		case 'no-trigger':
			return { finding: noTrigger(judgement.before), remark: '', tone: 'plain', net }
		default: {
			const isRepaired = outcome === 'repaired' || outcome === 'repaired-dearly'
			const others = [otherNets(reported, net), curveRemark(run)].filter((each) => each !== '').join(' ')
			return {
				finding: measuredSentence(reported, net, opening('Pruning', outcome), outcome),
				remark: isRepaired ? cheapestDropRemark(run) : others,
				tone: TONES[outcome],
				net,
			}
		}
	}
}

function channels(count: number): string {
	return count === 1 ? '1 channel' : `${count} channels`
}

function notMeasured({ repaired }: PruneRun, reported: ReportedRun, net: ReportedNet): string {
	const given = repaired.find(({ chosenBy, pruned }) => chosenBy === 'given' && pruned === net.strength)
	const subject = given ? `pruning the ${channels(given.pruned)} given by hand` : 'pruning'
	const change = cleanChange(reported, net)
	return unmeasured(reported, `${subject} removes`, change === null || given ? change : `${change} ${net.place}`)
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

function curveRemark(run: PruneRun): string {
	const cheapest = cheapestRemoval(run)
	if (cheapest === undefined) return ''
	if (cheapest === null) return 'No net of the curve brings ASR below 5 % beyond doubt.'
	const points = priceOf(reportedRun(run), cheapest)
	const cost = points === null ? '' : ` and costs ${points.toFixed(2)} points of ${cleanSetOf(run)?.phrase}`
	const net = `prunes ${channels(cheapest.pruned)}${cost}`
	return `The cheapest net of the curve with ASR below 5 % ${net} (oracle: found by looking at the poisoned set).`
}
