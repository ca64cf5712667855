/** `docs/results.md`: the lab's nets and the bench of defenses, each from its own records, so that either can be run alone. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { recordedCells } from './lab/records.ts'
import { resultsPage } from './lab/results-page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Written by `goodnet bench defenses`, called by `defenses/run.ts`. */
const DEFENSES = `${root}bench/defenses/results/results.md`

const HEAD = `# Results

What the attack lab's nets reach, and what the repairs do to nets of others and to ours. Every figure comes from a record in \`bench/\`.`

/** Writes the page from the records that there are. */
export function writeResultsPage(): void {
	const defenses = existsSync(DEFENSES) ? [readFileSync(DEFENSES, 'utf8')] : []
	const parts = [resultsPage(recordedCells()), ...defenses].map(oneLevelDown)
	writeFileSync(`${root}docs/results.md`, `${[HEAD, ...parts].map((part) => part.trim()).join('\n\n')}\n`)
}

function oneLevelDown(page: string): string {
	return page.replaceAll(/^#/gm, '##')
}
