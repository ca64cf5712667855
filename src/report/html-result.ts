/** The first half of the report: the verdict, four headline figures, and the result table. */
import { cleanCount, cleanSetOf } from './clean-set.ts'
import { formatOf, formatRateParts } from './format.ts'
import { type Markup, markup } from './markup.ts'
import { notReachedLines } from './reach.ts'
import { type AnyRun, reportedRun } from './reported-run.ts'
import { type Cell, type ResultColumn, type ResultRow, resultRows, type Share, usedColumns } from './rows.ts'
import { verdictParts } from './verdict.ts'

export function verdictSection(run: AnyRun): Markup {
	const { finding, remark, tone } = verdictParts(run)
	const more = remark === '' ? [] : [markup`<p>${remark}</p>`]
	return markup`<section class="verdict ${tone}" aria-label="Verdict">
<p class="finding">${finding}</p>${more}
</section>`
}

/** Clean accuracy and ASR, before and after, of the repaired net that the verdict speaks of, and what its GoodNet rejects. */
export function headlineSection(run: AnyRun): Markup {
	const { net } = verdictParts(run)
	if (net === null) return markup``
	const set = cleanSetOf(run)
	const { before } = reportedRun(run)
	const quantity = set?.quantity ?? 'clean accuracy'
	const cleanBefore = toShare(before && cleanCount(before, set))
	const asrBefore = before?.poisoned ?? null
	const tiles = [
		tile(`${quantity}, repaired net`, cleanBefore, toShare(cleanCount(net, set))),
		tile('ASR, repaired net', asrBefore, net.poisoned),
		tile('clean images the GoodNet rejects', null, toRejected(cleanCount(net.goodnet, set))),
		tile('poisoned images the GoodNet rejects', null, toRejected(net.goodnet.poisoned)),
	]
	return markup`<section aria-label="Headline figures">
<h2>Before → after${net.place === '' ? '' : `, ${net.place}`}</h2>
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

export function resultSection(run: AnyRun): Markup {
	const reported = reportedRun(run)
	const rows = resultRows(reported)
	if (rows.length === 0) return markup``
	const { heading, unpruned } = reported
	const lead = [...(heading === null ? [] : [heading]), 'net', ...(unpruned === null ? [] : ['pruned'])]
	const columns = usedColumns(reported, rows)
	const lines = run.schema === 'goodnet/prune@1' ? notReachedLines(run) : []
	const row = (each: ResultRow) => resultRow(each, columns, heading !== null, unpruned !== null)
	return markup`<section>
<h2>Every net</h2>
<div class="scroll"><table class="results">
<thead><tr>${[...lead, ...columns.map((column) => column.heading)].map(
		(name) => markup`<th scope="col">${name}</th>`,
	)}</tr></thead>
<tbody>${rows.map(row)}</tbody>
</table></div>
${lines.map((line) => markup`<p class="quiet">${line}</p>`)}
</section>`
}

function resultRow(row: ResultRow, columns: readonly ResultColumn[], hasLabel: boolean, hasPruned: boolean): Markup {
	const { net, isGuard } = row
	const label = hasLabel ? markup`<td>${isGuard ? '' : row.label}</td>` : ''
	const pruned = hasPruned ? markup`<td>${isGuard ? '' : (row.pruned ?? '')}</td>` : ''
	return markup`
<tr${isGuard ? markup` class="twin"` : ''}>${label}<th scope="row">${net}</th>${pruned}${columns.map(({ cell }) => tableCell(cell(row)))}</tr>`
}

function tableCell({ share, interval, counts }: Cell): Markup {
	if (counts === '') return markup`<td>${share}</td>`
	return markup`<td title="${counts}">${share}<span class="interval">${interval || counts}</span></td>`
}
