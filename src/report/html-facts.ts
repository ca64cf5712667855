/** The second half of the report: how to read it, and what went in and came out, with hashes. */
import type { Intervention, PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { chosenLabel, chosenLines } from './chosen.ts'
import { cleanSetOf } from './clean-set.ts'
import { compactLines } from './compact-lines.ts'
import { formatCount } from './format.ts'
import { type Markup, markup } from './markup.ts'
import { pairedLines } from './pairs.ts'

type Fact = readonly [name: string, value: Markup | string]

export function readingSection(run: PruneRun): Markup {
	const set = cleanSetOf(run)
	const clean =
		set?.record.labels === 'agreement'
			? 'The clean images had no labels: agreement with B counts images that a net answers as B does.'
			: `Clean accuracy counts images answered with their true label${set ? ` (${set.key === 'test' ? 'test' : 'validation'} set)` : ''}.`
	return markup`<section>
<h2>How to read this</h2>
<p>${orderSentences(run).join(' ')} Test and poisoned images were measured and chose nothing; what was found with their help is marked “oracle”.</p>
<p>${clean} ASR, the attack success rate, is the share of poisoned images answered with the target label. The GoodNet answers where B
and the repaired net agree and rejects the image where they differ; a rejected image counts as not correct and as not a hit.</p>
<p>Brackets hold 95 % intervals (Wilson score). 0 of n is given by its exact one-sided upper bound, n of n by its lower bound.</p>
${pairedLines(run).map((line) => markup`<p>${line}.</p>`)}
</section>`
}

/** How channels were ordered and nets chosen. */
function orderSentences(run: PruneRun): string[] {
	const { ranking, repaired } = run
	const { quantity, first, name } = ranking ?? {}
	const seen = name === 'l1' || name === 'clp' || name === 'random' ? '' : ' on the clean validation set'
	return [
		ranking
			? `Channels are pruned by ${quantity}${seen}, ${first} first (ranking ${name}).`
			: 'The channels and their order were given by hand.',
		...(repaired.some(({ chosenBy }) => chosenBy === 'drop')
			? ['A drop of X stands for the first net at least X points below B on the validation set.']
			: []),
		...chosenLines(run).map((line) => `${line.charAt(0).toUpperCase()}${line.slice(1)}.`),
	]
}

export function inputSection(run: PruneRun): Markup {
	const { model, data, preprocessing } = run
	const { valid, test, poisoned } = data
	return markup`<section>
<h2>Model and data</h2>
${factTable([
	['model', file(model.path, model.sha256)],
	['format, input', `${model.format}, ${model.inputShape.join(' × ')}, ${formatCount(model.classes)} classes`],
	[
		'pruned layer',
		run.layers
			? `${run.layers.length} layers together, ${model.channels} channels: ${run.layers.map(({ name }) => name).join(', ')}`
			: `${model.layer}${model.producer === null ? '' : `, fed by ${model.producer}`}, ${model.channels} channels`,
	],
	['a channel is pruned', describeIntervention(run)],
	['preprocessing', describePreprocessing(preprocessing)],
	['validation set', valid ? file(valid.path, valid.sha256, `${formatCount(valid.images)} images`) : 'not given'],
	['test set', test ? file(test.path, test.sha256, `${formatCount(test.images)} images`) : 'not given'],
	['poisoned set', poisoned ? file(poisoned.path, poisoned.sha256, describePoisoned(poisoned)) : 'not given'],
])}
</section>`
}

const SILENCED: Record<Intervention, string> = {
	weights: 'by zeroing its filter, kernel and bias',
	normalization: 'by zeroing scale and shift of the batch normalization behind its filter',
	mask: 'by a mask node, since zeroing its filter does not silence it',
}

function describeIntervention({ model, layers }: PruneRun): string {
	const used = new Set(model.intervention ? [model.intervention] : layers?.map(({ intervention }) => intervention))
	return [...used].map((each) => SILENCED[each]).join('; or ')
}

function describePreprocessing({ scale, mean, std, channels, resize }: PruneRun['preprocessing']): string {
	const parts = [
		`scale ${scale}`,
		...(mean ? [`mean ${mean.join(', ')}`] : []),
		...(std ? [`std ${std.join(', ')}`] : []),
		channels.toUpperCase(),
		resize ? 'resized to the input' : 'not resized',
	]
	return parts.join('; ')
}

function describePoisoned({ images, counted, target }: NonNullable<PruneRun['data']['poisoned']>): string {
	const left = counted < images ? `, ${formatCount(counted)} counted (the others are of the target class)` : ''
	return `${formatCount(images)} images${left}, target label ${target}`
}

/** The files that the run wrote; nothing where it wrote none. */
export function outputSection(run: PruneRun): Markup {
	const facts = run.repaired.flatMap(writtenFiles)
	if (facts.length === 0) return markup``
	return markup`<section>
<h2>Files written</h2>
${factTable(facts)}${compactLines(run).map((line) => markup`\n<p class="quiet">${line}</p>`)}
</section>`
}

function writtenFiles(record: RepairedRecord): Fact[] {
	const { chosenBy, files, sha256, compact } = record
	if (files === null) return []
	const net = chosenBy === 'given' ? '' : `, ${chosenBy === 'drop' ? 'drop ' : ''}${chosenLabel(record)}`
	const folder = files.source?.includes('/') ? files.source.slice(0, files.source.lastIndexOf('/') + 1) : null
	const parts = Object.keys(sha256).filter(
		(path) => folder !== null && path.startsWith(folder) && path !== files.source,
	)
	const names: [string, string | null][] = [
		[`repaired net${net}`, files.source],
		...parts.map((path): [string, string] => [`its weights${net}`, path]),
		[`repaired net as ONNX${net}`, files.onnx],
		[`GoodNet${net}`, files.goodnet],
		[`compact net${net}`, compact?.file ?? null],
	]
	return names.flatMap(([name, path]): Fact[] => (path === null ? [] : [[name, file(path, sha256[path] ?? '')]]))
}

export function environmentSection(run: PruneRun): Markup {
	const { goodnet, node, onnxruntime, threads, device } = run.environment
	const machine = `goodnet ${goodnet}, Node ${node}, ONNX Runtime ${onnxruntime} on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
	const times = Object.entries(run.seconds).map(([stage, seconds]) => `${stage} ${seconds.toFixed(1)} s`)
	return markup`<section>
<h2>Command and environment</h2>
<pre><code>${run.command}</code></pre>
<p class="quiet">${machine}. Time: ${times.join(', ')}.</p>
</section>`
}

function file(path: string, sha256: string, note = ''): Markup {
	const hash = sha256 === '' ? [] : [markup`<span class="hash">SHA-256 <code>${sha256}</code></span>`]
	return markup`<code>${path}</code>${note === '' ? '' : `, ${note}`}${hash}`
}

function factTable(facts: readonly Fact[]): Markup {
	const rows = facts.map(([name, value]) => markup`\n<tr><th scope="row">${name}</th><td>${value}</td></tr>`)
	return markup`<div class="scroll"><table class="facts"><tbody>${rows}</tbody></table></div>`
}
