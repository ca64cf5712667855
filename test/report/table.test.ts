import { describe, expect, it } from 'vitest'
import { closingTable } from '../../src/report/table.ts'
import { describeShared } from '../helpers/shared.ts'
import { publishedRun } from './published-run.ts'
import { smallRun, withAgreement, withGivenChannels, withoutPoisoned, withoutTest } from './runs.ts'

describe('closingTable', () => {
	it.each([
		['all', smallRun()],
		['agreement', withAgreement(withoutTest(smallRun()))],
		['given', withGivenChannels(smallRun())],
		['no-poisoned', withoutPoisoned(smallRun())],
		['nothing', { ...smallRun(), repaired: [] }],
	])('is laid out as reviewed: %s', async (name, run) => {
		await expect(closingTable(run)).toMatchFileSnapshot(`golden/table-${name}.txt`)
	})

	it('names each drop that was not reached', () => {
		expect(closingTable(smallRun())).toContain('\n99 points: not reached; with up to 8 of 8 channels pruned, ')
	})

	it('says that ASR was not measured and shows no column for it where no poisoned set was given', () => {
		const table = closingTable(withoutPoisoned(smallRun()))
		expect(table).toContain('ASR was not measured: no --poisoned set')
		expect(table.split('\n')[0]).not.toContain('ASR')
	})

	it('shows robust accuracy where true labels are known', () => {
		const run = smallRun()
		const steps = run.steps.map((step) => ({ ...step, poisoned: { hits: 50, recovered: 125, total: 250 } }))
		const [head, , baseline] = closingTable({ ...run, steps }, 160).split('\n')
		expect(head).toContain('robust accuracy')
		expect(baseline).toContain('50.00 % [43.85–56.15]')
	})
})

describeShared('closingTable of the published lab run', () => {
	const table = closingTable(publishedRun([2, 4, 10, 30]))

	it('fits 120 columns', () => {
		expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
	})

	it('shows the published rates of repaired net and GoodNet', () => {
		expect(table).toMatch(/^4 +repaired net +48\/60 +92\.29 % \[91\.82–92\.74\] +99\.98 % /m)
		expect(table).toMatch(/^ +GoodNet +92\.13 % \[91\.65–92\.58\] +99\.98 % /m)
	})
})
