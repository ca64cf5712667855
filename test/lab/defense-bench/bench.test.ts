import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DefenseCell } from '../../../src/contracts/defense-cell.ts'
import { type BenchOptions, benchDefenses } from '../../../src/lab/defense-bench/bench.ts'
import { type CellChoice, planCells, readSuite } from '../../../src/lab/defense-bench/read-suite.ts'
import { runCell } from '../../../src/lab/defense-bench/run-cell.ts'
import { inTemporaryFolder } from '../../helpers/cli.ts'
import { runtime } from '../subjects.ts'
import { SUITE, TARGET, writeSuite } from './small-suite.ts'

/** Runs a suite that lies in `folder`, each cell in this process. */
async function bench(folder: string, over: Partial<BenchOptions> = {}, choice: CellChoice = {}) {
	const path = join(folder, 'suite.json')
	const ran: string[] = []
	const counts = await benchDefenses(planCells(await readSuite(path), path, choice), {
		folder: join(folder, 'out'),
		jobs: 2,
		run: async (plan, options) => {
			ran.push(`${plan.subject.name} ${plan.label} ${plan.seed}`)
			return runCell(plan, runtime, options)
		},
		...over,
	})
	return { ...counts, cells: ran }
}

const cellPath = (folder: string, file: string) => join(folder, 'out', 'cells', file)
const cellAt = (folder: string, file: string) =>
	DefenseCell.parse(JSON.parse(readFileSync(cellPath(folder, file), 'utf8')))
const filesOf = (folder: string) => readdirSync(join(folder, 'out', 'cells')).sort()

describe('benchDefenses', () => {
	it('writes a cell for each net, and the next time runs nothing', () =>
		inTemporaryFolder(async (folder) => {
			await writeSuite(folder)
			const seen: [string, number, number][] = []
			const onCell: BenchOptions['onCell'] = ({ subject }, done, due) => seen.push([subject.name, done, due])
			expect(await bench(folder, { onCell })).toMatchObject({ ran: 2, kept: 0 })
			expect(filesOf(folder)).toEqual(['badnet__fine-tuning__0.json', 'twin__fine-tuning__0.json'])
			expect(seen.map(([, ...rest]) => rest)).toEqual([
				[1, 2],
				[2, 2],
			])

			const badnet = cellAt(folder, 'badnet__fine-tuning__0.json')
			expect(badnet).toMatchObject({
				subject: { name: 'badnet', group: 'drawn', note: null, isBackdoored: true },
				identity: { method: 'fine-tuning', seed: 0, target: TARGET, share: 0.2, parameters: { epochs: 1 } },
				images: { data: 120, tuning: null, unlabeled: null, test: 60, poisoned: 60 },
				outcome: { status: 'done', before: { test: { total: 60 }, poisoned: { total: 60 } } },
			})
			const twin = cellAt(folder, 'twin__fine-tuning__0.json')
			expect(twin.subject).toMatchObject({ note: 'without a backdoor', isBackdoored: false })
			// The twin has no triggered images of its own: these are its sibling's, and it sees through them.
			expect(twin.identity.sets.poisoned).toBe(badnet.identity.sets.poisoned)
			const hits = (cell: DefenseCell) => (cell.outcome.status === 'done' ? cell.outcome.before.poisoned!.hits : null)
			expect(hits(badnet)).toBeGreaterThan(40)
			expect(hits(twin)).toBeLessThan(15)

			const before = statSync(cellPath(folder, 'twin__fine-tuning__0.json')).mtimeMs
			expect(await bench(folder)).toEqual({ ran: 0, kept: 2, cells: [] })
			expect(statSync(cellPath(folder, 'twin__fine-tuning__0.json')).mtimeMs).toBe(before)
			expect(await bench(folder, { isForced: true })).toMatchObject({ ran: 2, kept: 0 })
		}))

	it('runs again what a changed parameter, seed or set concerns, and nothing else', () =>
		inTemporaryFolder(async (folder) => {
			await writeSuite(folder)
			const only = { subjects: ['badnet'] }
			await bench(folder, {}, only)
			expect((await bench(folder, {}, { seeds: [0, 1] })).cells).toEqual([
				'twin fine-tuning 0',
				'badnet fine-tuning 1',
				'twin fine-tuning 1',
			])

			const [badnet, ...others] = SUITE.subjects
			const write = (suite: unknown) => writeFileSync(join(folder, 'suite.json'), JSON.stringify(suite))
			write({ ...SUITE, subjects: [{ ...badnet, scale: 1 / 250 }, ...others] })
			expect((await bench(folder)).cells).toEqual(['badnet fine-tuning 0'])
			write({ ...SUITE, methods: [{ method: 'fine-tuning', set: { epochs: 1, lr: 0.02 } }] })
			expect((await bench(folder, {}, only)).cells).toEqual(['badnet fine-tuning 0'])
			// The same archive, but the words behind the colon could name other arrays in it.
			write({ ...SUITE, subjects: [{ ...badnet, test: 'test.npz:data,label' }, ...others] })
			expect((await bench(folder, {}, only)).cells).toEqual(['badnet fine-tuning 0'])
		}))

	it('keeps what does not apply or diverges as a result, and runs again what died', () =>
		inTemporaryFolder(async (folder) => {
			const dense = { ...SUITE.subjects[1]!, name: 'dense', model: 'dense.onnx', test: 'few.npz' }
			const methods = ['prune', { method: 'fine-tuning', as: 'hot', set: { epochs: 30, lr: 100 } }]
			await writeSuite(folder, { ...SUITE, subjects: [dense, SUITE.subjects[1]], methods })
			const one = { subjects: ['dense'], methods: ['prune'] }
			const other = { subjects: ['twin'], methods: ['hot'] }
			await bench(folder, {}, one)
			await bench(folder, {}, other)
			expect(cellAt(folder, 'dense__prune__0.json').outcome).toMatchObject({
				status: 'not-applicable',
				code: 'nothing-to-prune',
			})
			expect(cellAt(folder, 'twin__hot__0.json').outcome).toMatchObject({ status: 'failed', code: 'diverged' })
			expect((await bench(folder, {}, one)).cells).toEqual([])
			expect((await bench(folder, {}, other)).cells).toEqual([])

			const file = 'twin__hot__0.json'
			const cell = cellAt(folder, file)
			const died = { ...cell, outcome: { status: 'failed', code: 'process-died', reason: 'SIGKILL' } }
			writeFileSync(cellPath(folder, file), JSON.stringify(died))
			expect((await bench(folder, {}, other)).cells).toEqual(['twin hot 0'])
		}))

	it('stopped by its signal, it keeps finished cells and goes on from there', () =>
		inTemporaryFolder(async (folder) => {
			await writeSuite(folder)
			const stop = new AbortController()
			const stopped = bench(folder, { jobs: 1, signal: stop.signal, onCell: () => stop.abort() })
			await expect(stopped).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 })
			expect(filesOf(folder)).toEqual(['badnet__fine-tuning__0.json'])
			expect(await bench(folder)).toEqual({ ran: 1, kept: 1, cells: ['twin fine-tuning 0'] })
		}))

	it('stops the other cells when one cannot be written', () =>
		inTemporaryFolder(async (folder) => {
			await writeSuite(folder)
			writeFileSync(join(folder, 'out'), 'a file where the folder should be')
			const signals: AbortSignal[] = []
			const run: BenchOptions['run'] = (plan, options = {}) => {
				signals.push(options.signal!)
				return runCell(plan, runtime, options)
			}
			await expect(bench(folder, { run })).rejects.toMatchObject({ code: 'not-writable' })
			expect(signals.every(({ aborted }) => aborted)).toBe(true)
		}))

	it.each<[string, Record<string, unknown>, string]>([
		['a net that is not there', { model: 'nowhere.onnx' }, 'not-found'],
		['a set that is not there', { test: 'nowhere.npz' }, 'not-found'],
		['a set that is a model', { test: 'twin.h5' }, 'model-not-data'],
		['triggered images without a target', { target: undefined }, 'no-target'],
		['a target that is no class', { target: 4 }, 'label-out-of-range'],
	])('says what is wrong with a suite before anything runs: %s', (_, over, code) =>
		inTemporaryFolder(async (folder) => {
			const [badnet, twin] = SUITE.subjects
			await writeSuite(folder, { ...SUITE, subjects: [twin, { ...badnet, ...over }] })
			const run: BenchOptions['run'] = () => Promise.reject(new Error('nothing should run'))
			const error = await bench(folder, { run }).catch((thrown) => thrown)
			expect(error).toMatchObject({ code, exitCode: 3 })
		}),
	)

	it('says that a file among the cells is none', () =>
		inTemporaryFolder(async (folder) => {
			await writeSuite(folder)
			await bench(folder, {}, { subjects: ['twin'] })
			writeFileSync(cellPath(folder, 'twin__fine-tuning__0.json'), '{}')
			await expect(bench(folder)).rejects.toThrow(
				expect.objectContaining({ code: 'bad-cell', message: expect.stringContaining('--force to run it again') }),
			)
			expect(await bench(folder, { isForced: true }, { subjects: ['twin'] })).toMatchObject({ ran: 1 })
		}))
})
