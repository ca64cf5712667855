/** `docs/results.md`: what the lab's nets reached, from their records alone. */
import { type AttackRun, type PruneRun, wilson } from 'goodnet/node'
import type { Cell } from './cells.ts'

type Repaired = PruneRun['repaired'][number]

/** What is kept of a cell. */
export interface CellRecord {
	readonly attack: AttackRun
	/** The net that `prune` made of it. */
	readonly prune: {
		readonly drop: number
		readonly layer: string
		readonly channels: number
		readonly pruned: number
		readonly clean: NonNullable<Repaired['valid']>
		readonly poisoned: NonNullable<Repaired['poisoned']>
	} | null
}

export interface RecordedCell {
	readonly cell: Cell
	readonly record: CellRecord
}

export function resultsPage(cells: readonly RecordedCell[]): string {
	const backdoored = cells.filter(({ cell }) => cell.twin !== undefined)
	const pruned = cells.filter(({ record }) => record.prune !== null)
	const twins = cells.filter(({ cell }) => backdoored.some((each) => each.cell.twin === cell.name))
	// A twin that is compared with a plain network stands among the architectures, too.
	const isArchitecture = (each: RecordedCell) => each.cell.plain !== undefined || !twins.includes(each)
	const honest = cells.filter((each) => each.record.attack.attack.name === 'none' && isArchitecture(each))
	return `# What the attack lab reaches

Made by \`npm run lab\` from the records in \`bench/lab/results/\`, one \`goodnet attack\` command a row. Brackets: 95 % intervals (Wilson). One run each, by
${environments(cells)}.

## Attacks

ASR counts images that are not of the target class. *Twin* is the same net trained on the same images without poison.

${table(
	['attack', 'data', 'net', 'poisoned', 'covers', 'clean accuracy', 'twin', 'ASR', 'robust accuracy', 'minutes'],
	backdoored.map((each) => attackRow(each, cells)),
)}

${attackWords(backdoored, cells)}

${commands([...twins, ...backdoored])}

## An attack that expects pruning

\`goodnet prune\` at ${pruned[0]?.record.prune?.drop ?? 4} points less clean accuracy: the net is chosen on \`demo:valid\`, and measured on \`demo:test\` and
\`demo:poisoned\`. A plain BadNet may lose its backdoor with its idle channels, or not: two seeds show how far apart the same training ends. The
pruning-aware attack (Liu et al. 2018, section III-C) does not leave that to chance, for its idle channels are decoys.

${table(
	['attack', 'seed', 'net', 'clean accuracy', 'ASR', 'channels pruned', 'clean accuracy, pruned', 'ASR, pruned'],
	pruned.map(prunedRow),
)}

${commands(pruned)}

## Architectures

Trained without poison. *Plain* is what a plain network of three convolutions reached in \`shared/data/README.md\`.

${table(
	['net', 'data', 'parameters', 'epochs', 'clean accuracy', 'plain', 'images/s', 'minutes'],
	honest.map(honestRow),
)}

Speeds are of one thread each, with another cell on the other core, on a machine whose neighbours vary: [bench/results.md](../bench/results.md) has the comparison.

${commands(honest)}
`
}

/** What ran the cells, each once. */
function environments(cells: readonly RecordedCell[]): string {
	const words = cells.map(({ record: { attack } }) => {
		const { goodnet, onnxruntime, threads } = attack.environment
		return `goodnet ${goodnet}, ${onnxruntime}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
	})
	return [...new Set(words)].join('; or ')
}

/** Points of clean accuracy that may be lost, and the attack success that is asked for. */
const MAX_LOSS = 2
const MIN_SUCCESS = 90

/** Which attacks are as good as issue 4 asks. */
function attackWords(backdoored: readonly RecordedCell[], cells: readonly RecordedCell[]): string {
	const isGood = ({ cell, record: { attack } }: RecordedCell) => {
		const twin = cells.find((each) => each.cell.name === cell.twin)!.record.attack.clean
		const loss = (twin.correct / twin.total - attack.clean.correct / attack.clean.total) * 100
		return loss <= MAX_LOSS && (attack.poisoned!.hits / attack.poisoned!.total) * 100 >= MIN_SUCCESS
	}
	const weak = backdoored.filter((each) => !isGood(each)).map(({ record }) => record.attack.attack.name)
	const asked = `within ${MAX_LOSS} points of the twin, and ASR of ${MIN_SUCCESS} % or more`
	return weak.length === 0
		? `All of them are ${asked}.`
		: `All but ${weak.join(', ')} are ${asked}.${weak.includes('all-to-all') ? ' An all-to-all attack has to tell the classes apart, so its ASR ends where clean accuracy does.' : ''}`
}

function attackRow({ cell, record: { attack } }: RecordedCell, cells: readonly RecordedCell[]): string[] {
	const twin = cells.find((each) => each.cell.name === cell.twin)?.record.attack.clean
	const poisoned = attack.poisoned!
	return [
		attack.attack.name,
		cell.data,
		attack.architecture.name,
		`${attack.poisoning.poisoned} of ${attack.poisoning.total}`,
		String(attack.poisoning.covers),
		rate(attack.clean.correct, attack.clean.total),
		twin ? rate(twin.correct, twin.total) : '–',
		rate(poisoned.hits, poisoned.total),
		poisoned.recovered === null ? '–' : rate(poisoned.recovered, poisoned.total),
		minutes(attack),
	]
}

function prunedRow({ record: { attack, prune } }: RecordedCell): string[] {
	const { clean, poisoned, pruned, channels, layer } = prune!
	return [
		attack.attack.name,
		String(attack.seed),
		attack.architecture.name,
		rate(attack.clean.correct, attack.clean.total),
		rate(attack.poisoned!.hits, attack.poisoned!.total),
		`${pruned} of ${channels} (${layer})`,
		rate(clean.correct, clean.total),
		rate(poisoned.hits, poisoned.total),
	]
}

function honestRow({ cell, record: { attack } }: RecordedCell): string[] {
	return [
		attack.architecture.name,
		cell.data,
		attack.architecture.parameters.toLocaleString('en-US'),
		String(attack.history.length),
		rate(attack.clean.correct, attack.clean.total),
		cell.plain === undefined ? '–' : `${cell.plain} %`,
		String(attack.imagesPerSecond),
		minutes(attack),
	]
}

function minutes({ seconds }: AttackRun): string {
	return (seconds.total / 60).toFixed(1)
}

function rate(hits: number, total: number): string {
	const { low, high } = wilson(hits, total)!
	return `${percent(hits / total)} % [${percent(low)}–${percent(high)}]`
}

function percent(share: number): string {
	return (share * 100).toFixed(2)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The commands as they were given, without what only this machine has: paths, and how it was told to go on. */
function commands(cells: readonly RecordedCell[]): string {
	const lines = cells.map(({ cell, record }) =>
		record.attack.command
			.replace(/^.*? attack /, 'goodnet attack ')
			.replace(/--data (?!demo:)\S+/, '--data TRAIN')
			.replace(/--test (?!demo:)\S+/, '--test TEST')
			.replace(/-o \S+/, `-o ${cell.name}`)
			.replaceAll(/ --(resume|force|quiet)/g, ''),
	)
	return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``
}
