import { describe, expect, it } from 'vitest'
import { defenseSummary } from '../../src/report/defense-summary.ts'
import { BENCH, cell, counts, done, failed } from './bench-cells.ts'

const byLabel = (cells = BENCH) => new Map(defenseSummary(cells).methods.map((method) => [method.label, method]))

describe('defenseSummary', () => {
	it('takes the mean over seeds of a net first, and over nets then', () => {
		// Net a: DER is ((0.9 − 0.01) + 1) / 2 = 0.945 and ((1 − 0.02) + 1) / 2 = 0.99; net b: (0.8 + 1) / 2 = 0.9.
		const { der, derByGroup, seconds } = byLabel().get('ft')!
		expect(der!.mean).toBeCloseTo(((0.945 + 0.99) / 2 + 0.9) / 2, 12)
		expect(der).toMatchObject({ worst: expect.closeTo(0.9, 12), worstNet: 'b' })
		expect([...derByGroup]).toEqual([
			['made by others', expect.closeTo(0.9675, 12)],
			['made here', expect.closeTo(0.9, 12)],
		])
		expect(seconds).toBe((10 + 20 + 10 + 10) / 4)
	})

	it('counts a net that a method does not apply to, fails on or does not reach as left as it was: 50 %', () => {
		expect(byLabel().get('anp')!.der).toMatchObject({ mean: 0.5 })
		// Net b has no net for 10 points; net a loses 10 points for half of the attack.
		expect(byLabel().get('prune (10)')!.der!.mean).toBeCloseTo(((0.5 - 0.1 + 1) / 2 + 0.5) / 2, 12)
		expect(byLabel().get('prune (10)')!.counts).toEqual({
			...{ done: 1, 'not-applicable': 0, failed: 0 },
			...{ 'not-reached': 1, 'not-run': 1 },
		})
	})

	it('tells every net of a method that hands out several apart', () => {
		expect([...byLabel().keys()]).toEqual(['ft', 'prune (2)', 'prune (10)', 'anp', 'told'])
	})

	it('of honest nets it knows the points lost, and no DER', () => {
		expect(byLabel().get('ft')!.loss).toEqual({
			mean: expect.closeTo(0.5, 9),
			worst: expect.closeTo(0.5, 9),
			worstNet: 'honest',
		})
		expect(byLabel().get('anp')!.loss).toBeNull()
	})

	it('names as best what has the greatest mean DER, unless it was told of triggers or has not tried every net', () => {
		expect(defenseSummary(BENCH).best?.label).toBe('ft')
		expect(defenseSummary(BENCH).untried).toEqual([])
		const untried = BENCH.filter(({ subject, method }) => subject.name !== 'b' || method !== 'ft')
		expect(defenseSummary(untried).best?.label).toBe('prune (10)')
		expect(defenseSummary(untried).untried.map(({ label }) => label)).toEqual(['ft'])
		expect(defenseSummary([BENCH.find(({ isOracle }) => isOracle)!]).best).toBeNull()
	})

	it('puts backdoored nets first, groups together, and knows each as it came from any cell', () => {
		const cells = [...BENCH].reverse()
		const { nets } = defenseSummary(cells)
		expect(nets.map(({ name }) => name)).toEqual(['b', 'a', 'honest'])
		expect(nets.every(({ before }) => before?.test?.correct === 900)).toBe(true)
		expect(defenseSummary([cell({ net: 'x', method: 'anp', outcome: failed })]).nets[0]!.before).toBeNull()
	})

	it('without triggered images there is no DER to tell', () => {
		const after = { ...counts(900, 0), poisoned: null }
		expect(byLabel([cell({ net: 'x', method: 'ft', outcome: done({ after }) })]).get('ft')!.der).toBeNull()
	})
})
