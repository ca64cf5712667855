import { describe, expect, it } from 'vitest'
import { defenseTable } from '../../src/report/defense-table.ts'
import { BENCH, cell, counts, done } from './bench-cells.ts'

describe('defenseTable', () => {
	it('is the page in golden/, to the byte', () =>
		expect(defenseTable(BENCH)).toMatchFileSnapshot('golden/defense-table.md'))

	it('says so where nothing was run', () => expect(defenseTable([])).toBe('No cell has been run yet.\n'))

	it('calls nothing the best default as long as no method was tried everywhere', () => {
		const cells = [
			cell({ net: 'a', method: 'x', outcome: done({ after: counts(900, 0) }) }),
			cell({ net: 'b', method: 'y', outcome: done({ after: counts(900, 0) }) }),
		]
		expect(defenseTable(cells)).toContain('Best single default by mean DER: none yet')
	})

	it('names the methods that the best default was not compared with', () => {
		const cells = BENCH.filter(({ subject, method }) => subject.name !== 'b' || method !== 'ft')
		expect(defenseTable(cells)).toContain('Not compared, since not tried on every backdoored net: ft.')
	})

	it('every table has as many cells in each row as in its head', () => {
		const tables = defenseTable(BENCH)
			.split(/\n\n/)
			.filter((block) => block.startsWith('|'))
		expect(tables.length).toBe(5)
		for (const table of tables) {
			const widths = table
				.trim()
				.split('\n')
				.map((line) => line.replaceAll('\\|', '').split('|').length)
			expect(new Set(widths).size).toBe(1)
		}
	})
})
