/** The first half of the report: the verdict, four headline figures, and the result table. */
import type { PruneRun } from '../contracts/prune-run.ts'
import { chosenHeading, chosenPlace } from './chosen.ts'
import { baselineOf, cleanCount, cleanSetOf } from './clean-set.ts'
import { formatOf, formatRateParts } from './format.ts'
import { type Judgement, judge } from './judge.ts'
import { type Markup, markup } from './markup.ts'
import { notReachedLines, type ResultRow, resultRows, type Share, usedColumns } from './rows.ts'
import { verdictParts } from './verdict.ts'

/** The colour of the verdict's edge; its words say the same. */
const TONES: Record<Judgement['outcome'], 'good' | 'warn' | 'bad' | 'plain'> = {
	repaired: 'good',
	'repaired-dearly': 'warn',
	'too-few-images': 'warn',
	weakened: 'warn',
	'not-repaired': 'bad',
	'no-trigger': 'plain',
	'not-measured': 'plain',
	'nothing-pruned': 'bad',
}

export function verdictSection(run: PruneRun): Markup {
	const { finding, remark } = verdictParts(run)
	const more = remark === '' ? [] : [markup`<p>${remark}</p>`]
	return markup`<section class="verdict ${TONES[judge(run).outcome]}" aria-label="Verdict">
<p class="finding">${finding}</p>${more}
</section>`
}

/** Clean accuracy and ASR, before and after, of the repaired net that the verdict speaks of, and what its GoodNet rejects. */
export function headlineSection(run: PruneRun): Markup {
	const { record } = judge(run)
	if (record === null) return markup``
	const set = cleanSetOf(run)
	const baseline = baselineOf(run)
	const quantity = set?.quantity ?? 'clean accuracy'
	const cleanBefore = toShare(baseline && cleanCount(baseline, set))
	const asrBefore = baseline?.poisoned ?? null
	const tiles = [
		tile(`${quantity}, repaired net`, cleanBefore, toShare(cleanCount(record, set))),
		tile('ASR, repaired net', asrBefore, record.poisoned),
		tile('clean images the GoodNet rejects', null, toRejected(cleanCount(record.goodnet, set))),
		tile('poisoned images the GoodNet rejects', null, toRejected(record.goodnet.poisoned)),
	]
	return markup`<section aria-label="Headline figures">
<h2>Before → after, ${chosenPlace(record)}</h2>
<dl class="tiles">${tiles}</dl>
</section>`
}

function toShare(count: { correct: number; total: number } | null | undefined): Share | null {
	return count ? { hits: count.correct, total: count.total } : null
}

function toRejected(count: { rejected: number; total: number } | null | undefined): Share | null {
	return count ? { hits: count.rejected, total: count.total } : null
}

function tile(name: string, before: Share | null, after: Share | null): Markup {
	if (after === null) {
		return markup`<div class="tile"><dt>${name}</dt><dd class="change">–</dd><dd class="interval">not measured</dd></div>`
	}
	const { share, interval } = formatRateParts(after.hits, after.total)
	const from = before ? markup`<span class="from">${bareShare(before)} →</span> ` : ''
	const beforeInterval = before ? formatRateParts(before.hits, before.total).interval : ''
	const intervals = [beforeInterval, interval].filter((text) => text !== '').join(' → ')
	return markup`<div class="tile"><dt>${name}</dt><dd class="change">${from}${share}</dd>
<dd class="interval">${intervals}</dd><dd class="interval">${formatOf(after.hits, after.total)}</dd></div>`
}

/** The share without its unit, which the figure after the arrow carries for both. */
function bareShare({ hits, total }: Share): string {
	return formatRateParts(hits, total).share.replace(' %', '')
}

export function resultSection(run: PruneRun): Markup {
	const rows = resultRows(run)
	if (rows.length === 0) return markup``
	const columns = usedColumns(run, rows)
	const notReached = notReachedLines(run).map((line) => markup`<p class="quiet">${line}</p>`)
	return markup`<section>
<h2>Every net</h2>
<div class="scroll"><table class="results">
<thead><tr><th scope="col">${chosenHeading(run)}</th><th scope="col">net</th><th scope="col">pruned</th>${columns.map(
		({ heading }) => markup`<th scope="col">${heading}</th>`,
	)}</tr></thead>
<tbody>${rows.map((row) => resultRow(row, columns))}</tbody>
</table></div>
${notReached}
</section>`
}

function resultRow(row: ResultRow, columns: ReturnType<typeof usedColumns>): Markup {
	const isTwin = row.net === 'GoodNet'
	const cells = columns.map(({ key }) => rateCell(row.rates[key]))
	return markup`
<tr${isTwin ? markup` class="twin"` : ''}><td>${isTwin ? '' : row.drop}</td><th scope="row">${row.net}</th><td>${isTwin ? '' : row.pruned}</td>${cells}</tr>`
}

function rateCell(share: Share | null): Markup {
	if (share === null) return markup`<td>–</td>`
	const parts = formatRateParts(share.hits, share.total)
	const counts = formatOf(share.hits, share.total)
	return markup`<td title="${counts}">${parts.share}<span class="interval">${parts.interval || counts}</span></td>`
}
