import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openImages } from '../../../src/data/open.ts'
import { evaluateClean, evaluatePoisoned } from '../../../src/defense/evaluate.ts'
import { planCells, readSuite } from '../../../src/lab/defense-bench/read-suite.ts'
import { runCell } from '../../../src/lab/defense-bench/run-cell.ts'
import { loadModel } from '../../../src/model/load.ts'
import { inTemporaryFolder } from '../../helpers/cli.ts'
import { runtime } from '../subjects.ts'
import { SUITE, TARGET, writeSuite } from './small-suite.ts'

async function plansOf(folder: string, suite: unknown = SUITE) {
	const path = await writeSuite(folder, suite)
	return planCells(await readSuite(path), path)
}

describe('runCell', () => {
	it('counts of the net as it came are those of goodnet evaluate, also for the twin on its sibling’s triggered images', () =>
		inTemporaryFolder(async (folder) => {
			const plans = await plansOf(folder)
			for (const [plan, file] of [
				[plans[0]!, 'badnet.h5'],
				[plans[1]!, 'twin.h5'],
			] as const) {
				const { outcome } = await runCell(plan, runtime)
				if (outcome.status !== 'done') throw new Error(outcome.reason)
				const net = await loadModel(join(folder, file), { runtime, preprocessing: { scale: 1 / 255 } })
				const { correct, total } = await evaluateClean(net, await openImages(join(folder, 'test.npz')))
				expect(outcome.before.test).toEqual({ correct, total })
				const triggered = await openImages(join(folder, 'triggered.npz'))
				const { hits, recovered, ...rest } = await evaluatePoisoned(net, triggered, { target: TARGET })
				expect(outcome.before.poisoned).toEqual({ hits, recovered, total: rest.total })
			}
		}))

	it('gives the same answer for the same seed', () =>
		inTemporaryFolder(async (folder) => {
			const [plan] = await plansOf(folder)
			const outcomes = await Promise.all([plan!, plan!].map((each) => runCell(each, runtime)))
			const [first, again] = outcomes.map(({ outcome }) => JSON.stringify(outcome))
			expect(again).toBe(first)
		}))

	it('a net that is fed wrongly fails, and the reason says how it could be fed', () =>
		inTemporaryFolder(async (folder) => {
			const subjects = SUITE.subjects.map((subject) => ({ ...subject, scale: 1 / 255 ** 2 }))
			const [plan] = await plansOf(folder, { ...SUITE, subjects })
			const { outcome } = await runCell(plan!, runtime)
			expect(outcome).toMatchObject({ status: 'failed', code: 'near-chance' })
			expect(outcome).toMatchObject({ reason: expect.stringContaining('the suite says how badnet is fed: scale') })
		}))

	it('stops when it is told to', () =>
		inTemporaryFolder(async (folder) => {
			const [plan] = await plansOf(folder)
			const stopped = runCell(plan!, runtime, { signal: AbortSignal.abort() })
			await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
		}))
})
