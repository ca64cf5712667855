/** What only the report of `prune` has: its two figures, how channels were ordered, and its layer. */
import type { Intervention, PruneRun, RepairedRecord } from '../contracts/prune-run.ts'
import { chosenLabel, chosenLines } from './chosen.ts'
import { compactLines } from './compact-lines.ts'
import { activationSvg, pruneCurveSvg } from './figures.ts'
import { capitalized } from './format.ts'
import {
	dataFact,
	describePreprocessing,
	type Fact,
	factSection,
	modelFacts,
	poisonedFact,
	readingSection,
	writtenFiles,
} from './html-facts.ts'
import { figureSection } from './html-figure.ts'
import { type Markup, markup } from './markup.ts'

/** What stands above the table of results. */
export function pruneFigures(run: PruneRun): Markup[] {
	return [
		figureSection(
			'What pruning costs and what it removes',
			pruneCurveSvg(run),
			'Each net of the sweep: bands are 95 % intervals, dotted rules the repaired nets.',
		),
		figureSection(
			'Which channels were pruned first',
			activationSvg(run),
			'Bar k is the k-th channel pruned. After a ReLU, a mean of exactly 0 says that the channel never fired on the validation images, and that pruning it changes no answer there.',
		),
	]
}

/** What stands below it. */
export function pruneDetails(run: PruneRun): Markup[] {
	return [readingSection(run, orderSentences(run)), inputSection(run), outputSection(run)]
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
		...chosenLines(run).map((line) => `${capitalized(line)}.`),
	]
}

function inputSection(run: PruneRun): Markup {
	const { model, data, preprocessing, layers } = run
	return factSection('Model and data', [
		...modelFacts(run),
		[
			'pruned layer',
			layers
				? `${layers.length} layers together, ${model.channels} channels: ${layers.map(({ name }) => name).join(', ')}`
				: `${model.layer}${model.producer === null ? '' : `, fed by ${model.producer}`}, ${model.channels} channels`,
		],
		['a channel is pruned', describeIntervention(run)],
		['preprocessing', describePreprocessing(preprocessing)],
		dataFact('validation set', data.valid),
		dataFact('test set', data.test),
		poisonedFact(data.poisoned),
	])
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

/** The files that the run wrote; nothing where it wrote none. */
function outputSection(run: PruneRun): Markup {
	const facts = run.repaired.flatMap(filesOf)
	if (facts.length === 0) return markup``
	const lines = compactLines(run).map((line) => markup`\n<p class="quiet">${line}</p>`)
	return factSection('Files written', facts, lines)
}

function filesOf(record: RepairedRecord): Fact[] {
	const { chosenBy, compact } = record
	const net = chosenBy === 'given' ? '' : `, ${chosenBy === 'drop' ? 'drop ' : ''}${chosenLabel(record)}`
	return writtenFiles(record, net, [[`compact net${net}`, compact?.file ?? null]])
}
