import { describe, expect, it } from 'vitest'
import { curveCsv } from '../../src/report/csv.ts'
import { smallRun, withoutPoisoned, withoutTest } from './runs.ts'

describe('curveCsv', () => {
	it('is laid out as reviewed', async () => {
		await expect(curveCsv(smallRun())).toMatchFileSnapshot('golden/curve.csv')
	})

	it('leaves cells empty where nothing was measured, and keeps its ten columns', () => {
		const run = { ...withoutPoisoned(withoutTest(smallRun())), meanActivation: null, ranking: null }
		const lines = curveCsv(run).trimEnd().split('\n')
		expect(lines[2]).toBe('1,1,392,400,,,,,,')
		expect(new Set(lines.map((line) => line.split(',').length))).toEqual(new Set([10]))
	})
})
