/** The reports of a repair: table, verdict, page and figures, as `prune` has them. */
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { RepairRun } from '../../src/contracts/repair-run.ts'
import { reportHtml } from '../../src/report/html.ts'
import { candidatesSvg, historySvg } from '../../src/report/repair-figures.ts'
import { reportedRun } from '../../src/report/reported-run.ts'
import { ratingOf } from '../../src/report/rows.ts'
import { closingTable } from '../../src/report/table.ts'
import { verdict } from '../../src/report/verdict.ts'
import { isWorse } from '../../src/report/verdict-repair.ts'
import { counts, repairedNet, repairRun, searchingRun, withAnswers } from './repair-runs.ts'

const EVIL = '<script>alert(1)</script>"\'&<img src=x onerror=alert(2)>'

/** Only the sets that were given. */
function without(run: RepairRun, ...sets: ('test' | 'poisoned')[]): RepairRun {
	const none = Object.fromEntries(sets.map((set) => [set, null]))
	return {
		...run,
		data: { ...run.data, ...none },
		before: { ...run.before, ...none },
		repaired: run.repaired.map((net) => ({
			...net,
			after: { ...net.after, ...none },
			goodnet: { ...net.goodnet, ...none },
		})),
		twin: null,
	}
}

function hostileRun(): RepairRun {
	const run = repairRun()
	const { tuning, valid, test, poisoned } = run.data
	return {
		...run,
		command: `goodnet repair ${EVIL}`,
		model: { ...run.model, path: `${EVIL}.h5`, sha256: EVIL },
		method: { ...run.method, parameters: { layer: EVIL } },
		data: {
			tuning: tuning && { ...tuning, path: EVIL },
			valid: valid && { ...valid, path: EVIL },
			unlabeled: { path: EVIL, sha256: EVIL, images: 3 },
			test: test && { ...test, path: EVIL },
			poisoned: poisoned && { ...poisoned, path: EVIL },
		},
		repaired: run.repaired.map((net) => ({ ...net, name: EVIL, chosenBy: EVIL, sha256: { [EVIL]: EVIL } })),
		twin: run.twin && { ...run.twin, path: EVIL },
	}
}

const RUNS: [string, RepairRun][] = [
	['one net and its twin', repairRun()],
	['several nets, suspects', searchingRun()],
	['no poisoned set', without(repairRun(), 'poisoned')],
	['nothing but validation images', without(repairRun(), 'test', 'poisoned')],
	['nothing repaired', { ...repairRun(), repaired: [], twin: null }],
	['hostile names', hostileRun()],
]

describe('a repair run', () => {
	it.each(RUNS)('of the tests is one: %s', (_, run) => {
		expect(RepairRun.parse(run)).toEqual(run)
	})
})

describe('closingTable of a repair', () => {
	it.each([
		['twin', repairRun(), 140],
		['narrow', repairRun(), 80],
		['several', searchingRun(), 140],
		['unmeasured', without(repairRun(), 'poisoned'), 120],
	])('is laid out as reviewed: %s', async (name, run, width) => {
		await expect(closingTable(run, width)).toMatchFileSnapshot(`golden/repair-table-${name}.txt`)
	})

	it('rates by DER where true labels are known: from what ASR and accuracy lost', () => {
		const run = reportedRun(repairRun())
		// ASR 100 % → 0.8 %, accuracy 96 % → 95 %.
		expect(ratingOf(run, run.nets[0]!)).toBeCloseTo((0.992 - 0.01 + 1) / 2, 12)
		const { test } = run.data
		const agreement = { ...run, data: { ...run.data, test: test && { ...test, labels: 'agreement' as const } } }
		expect(ratingOf(agreement, run.nets[0]!)).toBeNull()
	})
})

describe('verdict on a repair', () => {
	it('tells counts and price, and what the method does to the twin', () => {
		expect(verdict(repairRun())).toBe(
			'The method fine-tuning repaired this net: clean test accuracy 96.00 % → 95.00 %, the trigger works on 0.80 % [0.22–2.87] of poisoned ' +
				'images (2 of 250; before: 100 %); the GoodNet inherits this. The same method on the clean twin: clean test accuracy 97.00 % → 95.60 %, ASR 0.80 %.',
		)
	})

	it('marks an oracle, speaks of the net that removes the trigger', () => {
		expect(verdict(searchingRun())).toMatch(
			/^The method trigger-pruning repaired this net: in net 4 \(clean test accuracy 96\.00 % → 92\.00 %\), .* These are an oracle’s figures: /,
		)
	})

	it('says what the other nets left where none removes it', () => {
		const run = {
			...searchingRun(),
			repaired: [repairedNet('2', 'x', counts(186, 470, 240)), repairedNet('4', 'y', counts(182, 460, 200))],
		}
		expect(verdict(run)).toMatch(
			/^The method trigger-pruning did not repair this net: in net 4 .* In net 2 ASR is 96\.00 %\./,
		)
	})

	it('says what is known without a poisoned set, and that nothing was handed out', () => {
		expect(verdict(without(repairRun(), 'poisoned'))).toBe(
			'ASR was not measured: no --poisoned set, so whether the method fine-tuning removes a trigger is unknown; what it costs is known: clean test accuracy 96.00 % → 95.00 %.',
		)
		expect(verdict({ ...repairRun(), repaired: [] })).toBe(
			'Nothing was repaired: the method fine-tuning found no net to hand out.',
		)
	})
})

describe('a repair that made things worse', () => {
	/** B has 480 of 500 right and 250 of 250 hit; what both nets share is in the GoodNet's counts. */
	const answers = (test: number, testBoth: number, hits: number, hitsBoth: number) =>
		withAnswers(counts(188, test, hits), {
			valid: null,
			test: { correct: testBoth, total: 500, rejected: 0 },
			poisoned: { hits: hitsBoth, recovered: 0, total: 250, rejected: 0 },
		})

	it('lost accuracy beyond chance while ASR stayed', () => {
		const run = answers(440, 438, 250, 250)
		expect(isWorse(run)).toBe(true)
		expect(verdict(run)).toMatch(
			/^The method fine-tuning made this net worse: .* still works on 100 % .*\. Clean accuracy fell by 8\.00 points \(McNemar p < 0\.001\) and ASR did not\./,
		)
	})

	it('is none where ASR fell, where chance explains the loss, or where it is of a point at most', () => {
		expect(isWorse(answers(440, 438, 100, 100))).toBe(false)
		// 25 of B's alone, 15 of the repaired net's alone: p = 0.15.
		expect(isWorse(answers(470, 455, 250, 250))).toBe(false)
		expect(isWorse(answers(475, 475, 250, 250))).toBe(false)
	})

	it('made the trigger work better, however good the accuracy', () => {
		const run = answers(490, 478, 200, 98)
		const weak = { ...run, before: counts(190, 480, 100) }
		expect(isWorse(weak)).toBe(true)
		expect(verdict(weak)).toContain('ASR rose by 40.00 points (McNemar p < 0.001)')
	})

	it('cost accuracy where there was no trigger to remove', () => {
		const run = { ...answers(440, 438, 0, 0), before: counts(190, 480, 10) }
		expect(isWorse(run)).toBe(true)
		expect(verdict(run)).toMatch(
			/^The method fine-tuning made this net worse: clean accuracy fell by 8\.00 points .* There was no working trigger to remove: /,
		)
		expect(verdict({ ...answers(478, 477, 0, 0), before: counts(190, 480, 10) })).toMatch(
			/^There was no working trigger/,
		)
	})

	it('is not claimed where ASR was not measured, or accuracy is agreement with B', () => {
		expect(isWorse(without(answers(400, 400, 250, 250), 'poisoned'))).toBe(false)
		const run = answers(400, 400, 250, 250)
		const { test } = run.data
		expect(isWorse({ ...run, data: { ...run.data, test: test && { ...test, labels: 'agreement' } } })).toBe(false)
	})
})

describe.each(RUNS)('reportHtml of a repair: %s', (_, run) => {
	const html = reportHtml(run)
	const { document } = parseHTML(html)

	it('is the same page for the same run, needs no network, runs no script', () => {
		expect(reportHtml(structuredClone(run))).toBe(html)
		expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:\/\/|url\(|@import/)
		expect(document.querySelectorAll('script, link, img, iframe, object, embed, [src], [href]')).toHaveLength(0)
	})

	it('opens with the verdict, names its figures, leaves no value unfilled', () => {
		expect(document.querySelector('main > section')?.textContent).toContain('.')
		expect([...document.querySelectorAll('th')].filter((cell) => !cell.getAttribute('scope'))).toEqual([])
		const figures = [...document.querySelectorAll('figure > svg')]
		expect(figures.every((svg) => svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label'))).toBe(true)
		expect(document.querySelector('main')?.textContent).not.toMatch(/undefined|NaN|null|\[object/)
	})
})

describe('reportHtml of a repair', () => {
	it('is laid out as reviewed', async () => {
		await expect(reportHtml(repairRun())).toMatchFileSnapshot('golden/repair.html')
	})

	it('escapes everything that comes from files', () => {
		expect(reportHtml(hostileRun())).not.toMatch(/<script|<img/)
	})

	it('shows suspects, parameters and every file with its hash', () => {
		const run = searchingRun()
		const { document } = parseHTML(reportHtml(run))
		const text = document.querySelector('main')!.textContent!.replace(/\s+/g, ' ')
		expect(text).toContain(
			'Which labels are suspect labelanomaly index of the reversed trigger’s L1 normfound 04.250suspect 71.500',
		)
		expect(text).toContain('drops2,4')
		for (const { sha256 } of run.repaired)
			for (const [name, hash] of Object.entries(sha256)) {
				expect(text).toContain(name)
				expect(text).toContain(hash)
			}
	})
})

describe('the figures of a repair', () => {
	it('are drawn as reviewed', async () => {
		await expect(historySvg(repairRun().findings)).toMatchFileSnapshot('golden/repair-history.svg')
		await expect(candidatesSvg(searchingRun().findings)).toMatchFileSnapshot('golden/repair-candidates.svg')
	})

	it('are absent where there is nothing to draw', () => {
		expect(historySvg(searchingRun().findings)).toBeNull()
		expect(candidatesSvg(repairRun().findings)).toBeNull()
		const { findings } = repairRun()
		expect(historySvg({ ...findings, history: findings.history!.slice(0, 1) })).toBeNull()
	})
})
