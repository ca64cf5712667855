/** Are the nets fed and stamped as those who measured them first did? */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DefenseCell } from '../../src/contracts/defense-cell.ts'
import { OTHERS } from './nets.ts'

/** Points by which figures on other images of the same data may differ: three standard errors of 2,000 images at 70 %, about. */
const TOLERANCE = 3

/**
 * Compares each net as it came with what `../shared/models/README.md` has measured.
 *
 * @param folder of the cells
 * @throws Error naming the first net that differs
 */
export function checkStamps(folder: string): void {
	for (const file of readdirSync(folder)) {
		const cell = JSON.parse(readFileSync(join(folder, file), 'utf8')) as DefenseCell // goodnet wrote it
		const measured = OTHERS.find(({ name }) => name === cell.subject.name)?.measured
		if (!measured || cell.outcome.status !== 'done') continue
		const { test, poisoned } = cell.outcome.before
		compare(cell.subject.name, 'clean accuracy', test && (100 * test.correct) / test.total, measured.clean)
		if (cell.subject.isBackdoored) {
			compare(cell.subject.name, 'ASR', poisoned && (100 * poisoned.hits) / poisoned.total, measured.asr)
		}
	}
}

function compare(net: string, what: string, found: number | null, expected: number | null): void {
	if (found === null || expected === null || Math.abs(found - expected) <= TOLERANCE) return
	throw new Error(
		`${net}: expected ${what} of about ${expected} %, found ${found.toFixed(2)} %: fed or stamped wrongly`,
	)
}
