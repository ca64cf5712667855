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
	const honest = cells.filter(({ cell, record }) => record.attack.attack.name === 'none' && cell.twin === undefined)
	const { environment } = cells[0]!.record.attack
	return `# What the attack lab reaches

Made by \`npm run lab\` from the records in \`bench/lab/results/\`, one \`goodnet attack\` command a row; nothing here is typed in. Brackets: 95 %
intervals (Wilson). One run each, seed 0; ${environment.onnxruntime}, ${environment.threads} threads.

## Attacks

ASR counts images that are not of the target class. *Twin* is the same net trained on the same images without poison.

${table(
	['attack', 'data', 'net', 'poisoned', 'covers', 'clean accuracy', 'twin', 'ASR', 'robust accuracy', 'minutes'],
	backdoored.map((each) => attackRow(each, cells)),
)}

${commands(backdoored)}

## An attack that expects pruning

\`goodnet prune\` at ${pruned[0]?.record.prune?.drop ?? 4} points less clean accuracy, chosen on clean images. The plain BadNet loses its backdoor with its idle channels; the
pruning-aware one (Liu et al. 2018, section III-C) keeps it, for its idle channels are decoys.

${table(
	['attack', 'net', 'clean accuracy', 'ASR', 'channels pruned', 'clean accuracy, pruned', 'ASR, pruned'],
	pruned.map(prunedRow),
)}

${commands(pruned)}

## Architectures

Trained without poison. *Plain* is what a plain network of three convolutions reached in \`shared/data/README.md\`.

${table(
	['net', 'data', 'parameters', 'epochs', 'clean accuracy', 'plain', 'images/s', 'minutes'],
	honest.map(honestRow),
)}

${commands(honest)}
`
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

/** The commands, with paths as somebody else would have them. */
function commands(cells: readonly RecordedCell[]): string {
	const lines = cells.map(
		({ cell }) =>
			`goodnet attack ${[...cell.attack, ...cell.flags].join(' ')} --data TRAIN --test TEST -o ${cell.name}`,
	)
	return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``
}
