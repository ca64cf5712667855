import { describe, expect, it } from 'vitest'
import type { PruneRun } from '../../src/contracts/prune-run.ts'
import { pairedLines } from '../../src/report/pairs.ts'
import { reportedRun } from '../../src/report/reported-run.ts'
import { smallRun } from './runs.ts'

describe('pairedLines', () => {
	it('finds the discordant images from what B, its twin and the GoodNet got right', () => {
		const run = withCounts(smallRun(), { before: 97, after: 90, both: 88 })
		// Exact binomial: 2·P(X ≤ 2 | 11, ½) = 2·(1 + 11 + 55)/2048.
		expect(pairedLines(reportedRun(run))).toEqual([
			expect.stringMatching(/-point net: 9 images only B gets right, 2 only the repaired net; McNemar p = 0\.065$/),
		])
	})

	it('says no more of tiny values than that they are tiny', () => {
		expect(pairedLines(reportedRun(withCounts(smallRun(), { before: 100, after: 40, both: 40 })))[0]).toMatch(
			/p < 0\.001$/,
		)
	})
})

function withCounts(run: PruneRun, { before, after, both }: { before: number; after: number; both: number }): PruneRun {
	const [step] = run.steps
	const [record] = run.repaired
	const count = (correct: number) => ({ correct, total: 100 })
	return {
		...run,
		steps: [{ ...step!, valid: count(before), test: null }],
		data: { ...run.data, test: null },
		repaired: [
			{
				...record!,
				valid: count(after),
				test: null,
				goodnet: { ...record!.goodnet, test: null, valid: { ...count(both), rejected: 5 } },
			},
		],
	}
}
