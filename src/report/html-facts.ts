/** What the second half of any report is made of: how to read it, and what went in and came out, with hashes. */
import type { PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { cleanSetOf } from './clean-set.ts'
import { formatCount } from './format.ts'
import { type Markup, markup } from './markup.ts'
import { pairedLines } from './pairs.ts'
import { type AnyRun, reportedRun } from './reported-run.ts'

export type Fact = readonly [name: string, value: Markup | string]

/** @param first how the nets of this run came about, in sentences */
export function readingSection(run: AnyRun, first: readonly string[]): Markup {
	const set = cleanSetOf(run)
	const clean =
		set?.record.labels === 'agreement'
			? 'The clean images had no labels: agreement with B counts images that a net answers as B does.'
			: `Clean accuracy counts images answered with their true label${set ? ` (${set.key === 'test' ? 'test' : 'validation'} set)` : ''}.`
	return markup`<section>
<h2>How to read this</h2>
<p>${first.join(' ')} Test and poisoned images were measured and chose nothing; what was found with their help is marked “oracle”.</p>
<p>${clean} ASR, the attack success rate, is the share of poisoned images answered with the target label. The GoodNet answers where B
and the repaired net agree and rejects the image where they differ; a rejected image counts as not correct and as not a hit.</p>
<p>Brackets hold 95 % intervals (Wilson score). 0 of n is given by its exact one-sided upper bound, n of n by its lower bound.</p>
${pairedLines(reportedRun(run)).map((line) => markup`<p>${line}.</p>`)}
</section>`
}

/** Model and preprocessing, for the table of what went in. */
export function modelFacts({ model }: AnyRun): Fact[] {
	return [
		['model', file(model.path, model.sha256)],
		['format, input', `${model.format}, ${model.inputShape.join(' × ')}, ${formatCount(model.classes)} classes`],
	]
}

/** The row of a data set. */
export function dataFact(
	name: string,
	set: { readonly path: string; readonly sha256: string; readonly images: number } | null,
): Fact {
	return [name, set ? file(set.path, set.sha256, `${formatCount(set.images)} images`) : 'not given']
}

/** The row of the poisoned set. */
export function poisonedFact(set: PruneRun['data']['poisoned']): Fact {
	return ['poisoned set', set ? file(set.path, set.sha256, describePoisoned(set)) : 'not given']
}

function describePoisoned({ images, counted, target }: NonNullable<PruneRun['data']['poisoned']>): string {
	const left = counted < images ? `, ${formatCount(counted)} counted (the others are of the target class)` : ''
	return `${formatCount(images)} images${left}, target label ${target}`
}

/** How pixels became the model's input, in words. */
export function describePreprocessing({ scale, mean, std, channels, resize }: PruneRun['preprocessing']): string {
	const parts = [
		`scale ${scale}`,
		...(mean ? [`mean ${mean.join(', ')}`] : []),
		...(std ? [`std ${std.join(', ')}`] : []),
		channels.toUpperCase(),
		resize ? 'resized to the input' : 'not resized',
	]
	return parts.join('; ')
}

/** A section with a table of facts. */
export function factSection(title: string, facts: readonly Fact[], more: readonly Markup[] = []): Markup {
	return markup`<section>
<h2>${title}</h2>
${factTable(facts)}${more}
</section>`
}

/** The files of one repaired net. `net` tells it from others: `, drop 2`. */
export function writtenFiles(
	{ files, sha256 }: Pick<RepairedRecord, 'files' | 'sha256'>,
	net: string,
	others: readonly (readonly [name: string, path: string | null])[] = [],
): Fact[] {
	if (files === null) return []
	const folder = files.source?.includes('/') ? files.source.slice(0, files.source.lastIndexOf('/') + 1) : null
	const parts = Object.keys(sha256).filter(
		(path) => folder !== null && path.startsWith(folder) && path !== files.source,
	)
	const names: (readonly [string, string | null])[] = [
		[`repaired net${net}`, files.source],
		...parts.map((path): [string, string] => [`its weights${net}`, path]),
		[`repaired net as ONNX${net}`, files.onnx],
		[`GoodNet${net}`, files.goodnet],
		...others,
	]
	return names.flatMap(([name, path]): Fact[] => (path === null ? [] : [[name, file(path, sha256[path] ?? '')]]))
}

export function environmentSection(run: AnyRun): Markup {
	const { goodnet, node, onnxruntime, threads, device } = run.environment
	const machine = `goodnet ${goodnet}, Node ${node}, ONNX Runtime ${onnxruntime} on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
	const times = Object.entries(run.seconds).map(([stage, seconds]) => `${stage} ${seconds.toFixed(1)} s`)
	return markup`<section>
<h2>Command and environment</h2>
<pre><code>${run.command}</code></pre>
<p class="quiet">${machine}. Time: ${times.join(', ')}.</p>
</section>`
}

/** A file's path with its hash. */
export function file(path: string, sha256: string, note = ''): Markup {
	const hash = sha256 === '' ? [] : [markup`<span class="hash">SHA-256 <code>${sha256}</code></span>`]
	return markup`<code>${path}</code>${note === '' ? '' : `, ${note}`}${hash}`
}

function factTable(facts: readonly Fact[]): Markup {
	const rows = facts.map(([name, value]) => markup`\n<tr><th scope="row">${name}</th><td>${value}</td></tr>`)
	return markup`<div class="scroll"><table class="facts"><tbody>${rows}</tbody></table></div>`
}
