import { describe, expect, it } from 'vitest'
import type { PruneRun } from '../../src/contracts/prune-run.ts'
import { verdict } from '../../src/report/verdict.ts'
import { describeShared } from '../helpers/shared.ts'
import { publishedRun } from './published-run.ts'
import { smallRun, withAgreement, withGivenChannels, withHits, withoutPoisoned, withoutTest } from './runs.ts'

/** `run` with the GoodNet of its first record letting `hits` through. */
function withGuardedHits(run: PruneRun, hits: number): PruneRun {
	const [first, ...rest] = run.repaired
	const poisoned = { ...first!.goodnet.poisoned!, hits }
	return { ...run, repaired: [{ ...first!, goodnet: { ...first!.goodnet, poisoned } }, ...rest] }
}

describe('verdict', () => {
	it('says that pruning failed, by the net with the lowest ASR, and names the cheapest net of the curve as oracle', () => {
		expect(verdict(smallRun())).toBe(
			'Pruning did not repair this net: at the 10-point drop (clean test accuracy 98.00 % → 88.00 %), the trigger still works on ' +
				'70.00 % [64.05–75.34] of poisoned images (175 of 250; before: 100 %); the GoodNet inherits this. ' +
				'At 2 points ASR is 100 %, at 4 points ASR is 99.20 %. The cheapest net of the ' +
				'curve with ASR below 5 % prunes 7 channels and costs 38.00 points of clean test accuracy (oracle: found by looking at the ' +
				'poisoned set).',
		)
	})

	it('judges nets of equal ASR by the one that gave up most', () => {
		expect(verdict(withHits([250, 250, 250], 250))).toMatch(/^Pruning did not repair this net: at the 10-point drop /)
	})

	it('says so where no net of the whole curve is free of the trigger', () => {
		expect(verdict(withHits([250], 250))).toMatch(/ No net of the curve brings ASR below 5 % beyond doubt\.$/)
	})

	it('says that pruning worked at the cheapest drop that removes the trigger', () => {
		expect(verdict(withHits([250, 0, 0], 250))).toBe(
			'Pruning repaired this net: at the 4-point drop (clean test accuracy 98.00 % → 93.00 %), the trigger works on ≤ 1.20 % of ' +
				'poisoned images (0 of 250; before: 100 %); the GoodNet lets none through either. Of the drops 2, 4, 10 this is the ' +
				'cheapest that brings ASR below 5 %.',
		)
	})

	it('leaves out the comparison of drops where there is one drop', () => {
		expect(verdict(withHits([1], 250))).toMatch(/the GoodNet inherits this\.$/)
	})

	it('does not call a repair good that costs more than ten points', () => {
		const run = withHits([0], 250)
		const dear = { ...run, repaired: [{ ...run.repaired[0]!, test: { correct: 400, total: 500 } }] }
		expect(verdict(dear)).toMatch(
			/^Pruning removed the trigger, but at a high price: at the 2-point drop \(clean test accuracy 98\.00 % → 80\.00 %\), the trigger works on ≤ /,
		)
	})

	it('calls a trigger that works half as often weakened', () => {
		expect(verdict(withHits([125], 250))).toMatch(
			/^Pruning weakened the trigger but did not remove it: .* still works on 50\.00 % /,
		)
		expect(verdict(withHits([126], 250))).toMatch(/^Pruning did not repair this net/)
	})

	it('does not claim more than few poisoned images can show', () => {
		expect(verdict(withHits([0], 20))).toMatch(
			/^Pruning may have repaired this net, but there are too few poisoned images to tell/,
		)
		expect(verdict(withHits([1], 40))).toMatch(/\(1 of 40; before: 100 %\), so ASR may be as high as 12\.8\d %/)
	})

	it('says what the GoodNet lets through where that is less', () => {
		expect(verdict(withGuardedHits(withHits([200], 250), 100))).toContain(
			'; the GoodNet lets 40.00 % [34.12–46.18] through.',
		)
	})

	it('says that there was nothing to remove where the trigger does not work on B', () => {
		const run = withHits([0], 250)
		const steps = run.steps.map((step) => ({ ...step, poisoned: { hits: 1, recovered: null, total: 250 } }))
		expect(verdict({ ...run, steps })).toBe(
			'There was no working trigger to remove: B itself answers the target label on 0.40 % [0.07–2.23] of poisoned images (1 of 250).',
		)
	})

	it('says that ASR was not measured where no poisoned set was given, and what pruning costs', () => {
		expect(verdict(withoutPoisoned(smallRun()))).toBe(
			'ASR was not measured: no --poisoned set, so whether pruning removes a trigger is unknown; what it costs is known: clean ' +
				'test accuracy 98.00 % → 88.00 % at the 10-point drop.',
		)
	})

	it('says so where nothing at all was measured: channels given by hand and no data', () => {
		const run = withoutPoisoned(withGivenChannels(smallRun()))
		const blind: PruneRun = {
			...run,
			data: { valid: null, test: null, poisoned: null },
			steps: [],
			repaired: run.repaired.map((record) => ({ ...record, valid: null, test: null })),
		}
		expect(verdict(blind)).toBe(
			'ASR was not measured: no --poisoned set, so whether pruning the 4 channels given by hand removes a trigger is unknown.',
		)
	})

	it('speaks of channels given by hand, not of a drop', () => {
		expect(verdict(withGivenChannels(smallRun()))).toContain(
			': with the 4 channels given by hand (clean test accuracy ',
		)
	})

	it('speaks of agreement with B where the images had no labels', () => {
		expect(verdict(withAgreement(withoutTest(smallRun())))).toContain('(agreement with B on validation images 100 % → ')
	})

	it('falls back on validation accuracy, and says so, where no test set was given', () => {
		expect(verdict(withoutTest(smallRun()))).toContain('(clean validation accuracy 98.00 % → 88.00 %)')
	})

	it('says that nothing was repaired where no drop was reached, and how far the sweep came', () => {
		const run = withoutPoisoned({ ...smallRun(), repaired: [], notReached: [98, 99] })
		expect(verdict(run)).toBe(
			'Nothing was repaired: no net reached a drop of 98 or 99 points; with up to 8 of 8 channels pruned, clean validation ' +
				'accuracy falls by at most 97.00 points.',
		)
	})
})

describeShared('verdict on the published lab run', () => {
	it('tells that the lab’s own repair at 2 and 4 points leaves the trigger working', () => {
		expect(verdict(publishedRun([2, 4]))).toMatch(
			/^Pruning did not repair this net: at the 4-point drop \(clean test accuracy 98\.62 % → 92\.29 %\), the trigger still works on 99\.98 % \[99\.94–100\] of poisoned images \(12,828 of 12,830; before: 100 %\); the GoodNet inherits this\./,
		)
	})

	it('tells that 30 points weaken it', () => {
		expect(verdict(publishedRun([2, 4, 10, 30]))).toMatch(
			/^Pruning weakened the trigger but did not remove it: at the 30-point drop /,
		)
	})
})
