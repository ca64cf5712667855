/** What only the report of `repair` has: how training went or which nets were candidates, whom the method suspects, what it was told. */
import type { RepairedNetRecord, RepairFindings, RepairRun } from '../contracts/repair-run.ts'
import {
	dataFact,
	describePreprocessing,
	type Fact,
	factSection,
	file,
	modelFacts,
	poisonedFact,
	readingSection,
	writtenFiles,
} from './html-facts.ts'
import { figureSection } from './html-figure.ts'
import { type Markup, markup } from './markup.ts'
import { candidatesSvg, historySvg } from './repair-figures.ts'
import { RATING_LINE, showParameter } from './repair-lines.ts'

/** What stands above the table of results. */
export function repairFigures({ findings }: RepairRun): Markup[] {
	return [
		figureSection(
			'How training went',
			historySvg(findings),
			'After each epoch: images that were learned from, as they went by, and validation images, which nothing was learned from.',
		),
		figureSection(
			'Nets on the way to the operating point',
			candidatesSvg(findings),
			'Measured on clean validation images alone, by which the repaired net was chosen. The band is the 95 % interval.',
		),
	]
}

/** What stands below it. */
export function repairDetails(run: RepairRun): Markup[] {
	const { findings, twin } = run
	return [
		suspectSection('Which labels are suspect', findings),
		...(twin ? [suspectSection('Which labels of the clean twin are suspect', twin.findings)] : []),
		readingSection(run, methodSentences(run)),
		methodSection(run),
		inputSection(run),
		outputSection(run),
	]
}

function methodSentences({ method, repaired, data }: RepairRun): string[] {
	const chosen = repaired.map(
		({ name, chosenBy }) => `${name === '' ? 'The repaired net' : `Net ${name}`}: ${chosenBy}.`,
	)
	return [
		`The method ${method.name} was given clean images only.`,
		...(method.isOracle ? ['It was told something about the trigger, so every figure is an oracle’s.'] : []),
		...chosen,
		...(data.poisoned ? [`${RATING_LINE}.`] : []),
	]
}

function suspectSection(title: string, { suspects }: RepairFindings): Markup {
	if (suspects === null) return markup``
	const rows = suspects.labels.map(
		({ label, score, isSuspect }) =>
			markup`\n<tr><th scope="row">${label}</th><td>${score.toPrecision(4)}</td><td>${isSuspect ? 'suspect' : ''}</td></tr>`,
	)
	return markup`<section>
<h2>${title}</h2>
<div class="scroll"><table class="results"><thead><tr><th scope="col">label</th><th scope="col">${suspects.quantity}</th><th scope="col">found</th></tr></thead>
<tbody>${rows}</tbody></table></div>
</section>`
}

function methodSection({ method }: RepairRun): Markup {
	const parameters = Object.entries(method.parameters).map(([name, value]): Fact => [name, showParameter(value)])
	return factSection('Method and parameters', [['method', method.name], ...parameters, ['seed', String(method.seed)]])
}

function inputSection(run: RepairRun): Markup {
	const { data, preprocessing, twin } = run
	return factSection('Model and data', [
		...modelFacts(run),
		...(twin ? [['clean twin', file(twin.path, twin.sha256)] as const] : []),
		['preprocessing', describePreprocessing(preprocessing)],
		dataFact('tuning set', data.tuning),
		dataFact('validation set', data.valid),
		...(data.unlabeled ? [dataFact('unlabelled pictures', data.unlabeled)] : []),
		dataFact('test set', data.test),
		poisonedFact(data.poisoned),
	])
}

function outputSection({ repaired }: RepairRun): Markup {
	const facts = repaired.flatMap(filesOf)
	return facts.length === 0 ? markup`` : factSection('Files written', facts)
}

function filesOf(record: RepairedNetRecord): Fact[] {
	return writtenFiles(record, record.name === '' ? '' : `, ${record.name}`)
}
