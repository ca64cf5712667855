/** Needs the last build: the process runs compiled code. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { runCellInProcess } from '../../../src/lab/defense-bench/process.ts'
import { planCells, readSuite } from '../../../src/lab/defense-bench/read-suite.ts'
import { runCell } from '../../../src/lab/defense-bench/run-cell.ts'
import { inTemporaryFolder } from '../../helpers/cli.ts'
import { runtime } from '../subjects.ts'
import { writeSuite } from './small-suite.ts'

afterEach(() => vi.unstubAllEnvs())

async function firstPlan(folder: string) {
	const path = await writeSuite(folder)
	return planCells(await readSuite(path), path)[0]!
}

describe('runCellInProcess', () => {
	it('tells what the same cell tells in this process', () =>
		inTemporaryFolder(async (folder) => {
			const plan = await firstPlan(folder)
			const { outcome, environment } = await runCell(plan, runtime)
			expect(await runCellInProcess(plan)).toEqual({ outcome, environment, seconds: expect.any(Number) })
			expect(outcome).toMatchObject({ status: 'done', repaired: [{ name: '', after: { test: { total: 60 } } }] })
		}))

	it('ends its process at once when it is stopped', () =>
		inTemporaryFolder(async (folder) => {
			const plan = await firstPlan(folder)
			const endless = { ...plan, parameters: { ...plan.parameters, epochs: 10_000 } }
			const signal = AbortSignal.timeout(1500)
			await expect(runCellInProcess(endless, { signal })).rejects.toMatchObject({ code: 'interrupted' })
			await expect(runCellInProcess(plan, { signal })).rejects.toMatchObject({ code: 'interrupted' })
		}))

	it('a process that dies is a failed cell with its last words', () =>
		inTemporaryFolder(async (folder) => {
			const plan = await firstPlan(folder)
			vi.stubEnv('NODE_OPTIONS', '--no-such-flag')
			const { outcome, environment } = await runCellInProcess(plan)
			expect(outcome).toEqual({
				status: 'failed',
				code: 'process-died',
				reason: expect.stringMatching(/ended \(exit code 9\).*--no-such-flag/),
			})
			expect(environment).toMatchObject({ threads: 1 })
		}))
})
