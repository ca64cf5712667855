/** Whether a repair by some method worked, or made things worse; and what it did to the clean twin. */
import type { RepairRun } from '../contracts/repair-run.ts'
import { capitalized, formatShare } from './format.ts'
import { judge } from './judge.ts'
import { formatP } from './pairs.ts'
import { type ReportedRun, reportedRun } from './reported-run.ts'
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
import { type Worsening, worseningOf } from './worse.ts'

/** The verdict on a run of `repair`. */
export function repairVerdict(run: RepairRun): VerdictParts {
	const reported = reportedRun(run)
	const judgement = judge(reported)
	const { outcome, net } = judgement
	const subject = `The method ${run.method.name}`
	switch (outcome) {
		case 'nothing-repaired':
			return {
				finding: `Nothing was repaired: ${subject.toLowerCase()} found no net to hand out.`,
				remark: '',
				tone: 'bad',
				net,
			}
		case 'not-measured': {
			const change = cleanChange(reported, net)
			const price = change === null || net.place === '' ? change : `${change} ${net.place}`
			const finding = unmeasured(reported, `${subject.toLowerCase()} removes`, price)
			return { finding, remark: twinRemark(reported), tone: 'plain', net }
		}
		case 'no-trigger': {
			const worse = worseningOf(reported, net)
			const finding = worse ? `${subject} made this net worse: ${worseWords(worse)}.` : noTrigger(judgement.before)
			const remark = sentences(worse ? noTrigger(judgement.before) : '', twinRemark(reported))
			return { finding, remark, tone: worse ? 'bad' : 'plain', net }
		}
		default: {
			const worse = worseningOf(reported, net)
			const words = worse ? `${subject} made this net worse` : opening(subject, outcome)
			const why = worse ? `${capitalized(worseWords(worse))}.` : ''
			const isRepaired = outcome === 'repaired' || outcome === 'repaired-dearly'
			return {
				finding: measuredSentence(reported, net, words, outcome),
				remark: sentences(why, oracleRemark(run), isRepaired ? '' : otherNets(reported, net), twinRemark(reported)),
				tone: worse ? 'bad' : TONES[outcome],
				net,
			}
		}
	}
}

/** Did the net that the verdict speaks of get worse? What `--fail-on worse` asks. */
export function isWorse(run: RepairRun): boolean {
	const reported = reportedRun(run)
	const { net } = judge(reported)
	return net?.poisoned != null && worseningOf(reported, net) !== null
}

function worseWords({ what, points, p }: Worsening): string {
	const change = `${points.toFixed(2)} points (McNemar ${formatP(p)})`
	if (what === 'asr-rose') return `ASR rose by ${change}`
	return `clean accuracy fell by ${change} and ASR did not`
}

function oracleRemark({ method }: RepairRun): string {
	return method.isOracle ? 'These are an oracle\u2019s figures: the method was told something about the trigger.' : ''
}

/** `The same method takes the clean twin from …`: what the repair does to an honest net. */
function twinRemark({ twin, data }: ReportedRun): string {
	const net = twin?.nets.at(-1)
	const change = twin && net && cleanChange({ data, before: twin.before }, net)
	if (!change) return ''
	const which = net.place === '' ? '' : ` ${net.place}`
	const { poisoned } = net
	const asr = poisoned && poisoned.total > 0 ? `, ASR ${formatShare(poisoned.hits, poisoned.total)}` : ''
	return `The same method on the clean twin${which}: ${change}${asr}.`
}

function sentences(...texts: readonly string[]): string {
	return texts.filter((text) => text !== '').join(' ')
}
