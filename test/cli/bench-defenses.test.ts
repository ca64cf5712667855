/** `goodnet bench defenses` from end to end; the cells are run by the last build. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DefenseBench } from '../../src/contracts/defense-cell.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { SUITE, writeSuite } from '../lab/defense-bench/small-suite.ts'

describe('goodnet bench defenses', () => {
	it('runs a suite, writes cells and tables, and goes on where it was', () =>
		inTemporaryFolder(async (folder) => {
			const suite = await writeSuite(folder)
			const out = join(folder, 'out')
			const page = join(folder, 'docs', 'page.md')
			const first = await goodnet(['bench', 'defenses', suite, '-o', out, '--jobs', '2', '--page', page])
			expect(first.exitCode, first.stderr).toBe(0)
			expect(first.stdout).toContain('2 cells run, 0 were there')
			expect(first.stdout).toContain('best single default by mean DER: fine-tuning')
			expect(first.stdout).toContain(`tables: ${join(out, 'results.md')}`)
			expect(first.stderr).toContain('2 cells: 0 are there, 2 to run\n')
			expect(first.stderr).toMatch(/1\/2 (badnet|twin), fine-tuning, seed 0: .* s, about .* left\n/)
			expect(readdirSync(out).sort()).toEqual(['cells', 'results.md'])
			const text = readFileSync(page, 'utf8')
			expect(text).toMatch(/^# Defenses\n/)
			expect(text).toContain('### twin')
			expect(readFileSync(join(out, 'results.md'), 'utf8')).toBe(text)

			// A cell that is gone is run again, and a choice leaves the others on the page.
			rmSync(join(out, 'cells', 'twin__fine-tuning__0.json'))
			const argv = ['bench', 'defenses', suite, '-o', out, '--subjects', 'twin', '--json', '--quiet']
			const again = await goodnet(argv)
			expect(again.stderr).toBe('')
			const result = DefenseBench.parse(JSON.parse(again.stdout))
			expect(result).toMatchObject({ ran: 1, kept: 0 })
			expect(result.cells.map(({ subject }) => subject.name)).toEqual(['badnet', 'twin'])
			expect(DefenseBench.parse(JSON.parse((await goodnet(argv)).stdout))).toMatchObject({ ran: 0, kept: 1 })
		}))

	it('stopped, it says that it can go on, and leaves no half-written cell', () =>
		inTemporaryFolder(async (folder) => {
			const suite = await writeSuite(folder, {
				...SUITE,
				methods: [{ method: 'fine-tuning', set: { epochs: 10_000, lr: 0.01 } }],
			})
			const out = join(folder, 'out')
			const stopped = await goodnet(['bench', 'defenses', suite, '-o', out], AbortSignal.timeout(2500))
			expect(stopped.exitCode).toBe(130)
			expect(stopped.stderr).toContain('the same command goes on from there')
			expect(existsSync(out)).toBe(false)
		}))

	it.each<[string, readonly string[], number, string]>([
		['no folder for results', [], 2, '--output: expected a folder for the results, found nothing'],
		[
			'a method that the suite does not have',
			['-o', 'x', '--methods', 'anp'],
			2,
			'--methods: expected names of the suite (fine-tuning), found "anp"',
		],
		['an empty list', ['-o', 'x', '--subjects', ''], 2, '--subjects: expected names separated by commas'],
		['a seed that is no number', ['-o', 'x', '--seeds', '1.5'], 2, '--seeds: seeds are whole numbers'],
		['no job at all', ['-o', 'x', '--jobs', '0'], 2, '--jobs: expected at least 1'],
		['a page that is no Markdown', ['-o', 'x', '--page', 'page.html'], 2, '--page: expected a name that ends in .md'],
	])('refuses %s', (_, argv, exitCode, words) =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'suite.json')
			writeFileSync(path, JSON.stringify(SUITE))
			const result = await goodnet(['bench', 'defenses', path, ...argv])
			expect(result).toMatchObject({ exitCode, stdout: '' })
			expect(result.stderr).toContain(words)
		}),
	)

	it('says what is wrong with a suite: not there, no suite, or a net that is not there', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'suite.json')
			const run = () => goodnet(['bench', 'defenses', path, '-o', join(folder, 'out')])
			expect(await run()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('found nothing there') })
			writeFileSync(path, '[]')
			expect(await run()).toMatchObject({
				exitCode: 3,
				stderr: expect.stringContaining('expected a suite of nets and methods'),
			})
			writeFileSync(path, JSON.stringify(SUITE))
			expect(await run()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(join(folder, 'badnet.h5')) })
			expect(existsSync(join(folder, 'out'))).toBe(false)
		}))

	it('bench alone is no command, and says that a word is missing', async () =>
		expect(await goodnet(['bench'])).toMatchObject({
			exitCode: 2,
			stderr: expect.stringContaining('expected one more word'),
		}))
})
