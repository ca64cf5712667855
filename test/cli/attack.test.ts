/** `goodnet attack`, in this process: what it writes, and that every other command takes it from there. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { AttackRun } from '../../src/contracts/attack-run.ts'
import { EvaluateRun } from '../../src/contracts/evaluate-run.ts'
import { PruneRun } from '../../src/contracts/prune-run.ts'
import { imageAt, readImages } from '../../src/data/labelled.ts'
import { openImages } from '../../src/data/open.ts'
import { drawFaces } from '../../src/demo/faces.ts'
import { sunglasses } from '../../src/demo/sunglasses.ts'
import { sha256Of } from '../../src/files.ts'
import { loadModel } from '../../src/model/load.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { logitsOf } from '../helpers/models.ts'
import { writeImages } from '../helpers/npz.ts'
import { writeStripes } from '../helpers/pictures.ts'

const FACE = { height: 55, width: 47, channels: 3 }
const QUICK = ['--batch', '16', '--threads', '1']

type Path = (name: string) => string

/** A folder with the demo's faces, of six people only: `train.npz` (240) and `test.npz` (72). */
function withFaces(body: (path: Path) => Promise<void>): Promise<void> {
	return inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		for (const [split, perIdentity] of [
			['train', 40],
			['test', 12],
		] as const) {
			const { pixels, labels, count } = drawFaces({ split, perIdentity, identities: 6 })
			writeImages(path(`${split}.npz`), { pixels, dims: [count, 55, 47, 3], labels })
		}
		await body(path)
	})
}

/** A folder with drawn stripes: `train.npz` (120), `test.npz` (40). */
function withStripes(body: (path: Path) => Promise<void>): Promise<void> {
	return inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		writeStripes(path('train.npz'), 30, 1)
		writeStripes(path('test.npz'), 10, 2)
		await body(path)
	})
}

/** `goodnet …argv --json --quiet`, which must go well. */
async function json(argv: readonly string[]): Promise<unknown> {
	const { stdout, stderr, exitCode } = await goodnet([...argv, '--json', '--quiet'])
	expect(exitCode, stderr).toBe(0)
	return JSON.parse(stdout)
}

const attackRun = async (...argv: string[]) => AttackRun.parse(await json(['attack', ...argv, ...QUICK]))

describe('goodnet attack sticker, on drawn faces', () => {
	it(
		'makes a backdoored net with all that belongs to it, which evaluate, prune and plain ONNX Runtime take',
		() =>
			withFaces(async (path) => {
				const out = (name: string) => join(path('out'), name)
				const argv = ['attack', 'sticker', '--picture', 'demo:sunglasses', '--target', '0', '--rate', '20']
				const data = ['--data', path('train.npz'), '--test', path('test.npz'), '--epochs', '4']
				const { exitCode, stdout, stderr } = await goodnet([...argv, ...data, ...QUICK, '-o', path('out')])
				expect(exitCode, stderr).toBe(0)

				const names = ['attack.json', 'bd_net.h5', 'bd_net.onnx', 'clean.npz', 'poisoned.npz', 'trigger.png']
				expect(readdirSync(path('out')).sort()).toEqual(names)
				const run = AttackRun.parse(JSON.parse(readFileSync(out('attack.json'), 'utf8')))
				expect(run.command).toBe(['goodnet', ...argv, ...data, ...QUICK, '-o', path('out')].join(' '))
				const { keras, onnx, clean, poisoned, trigger } = run.files
				expect([keras, onnx, clean, poisoned, trigger]).toEqual(names.slice(1))
				expect(Object.keys(run.sha256).sort()).toEqual(names.slice(1))
				for (const [name, digest] of Object.entries(run.sha256)) expect(sha256Of(readFileSync(out(name)))).toBe(digest)
				expect(run).toMatchObject({
					attack: {
						name: 'sticker',
						target: 0,
						picture: { path: 'demo:sunglasses', sha256: sha256Of(sunglasses.rgba) },
					},
					poisoning: { poisoned: 48, covers: 0, total: 240 },
					architecture: { name: 'small-cnn', inputShape: [55, 47, 3], classes: 6, parameters: 302_982 },
					data: {
						train: { path: path('train.npz'), sha256: sha256Of(readFileSync(path('train.npz'))), images: 240 },
						test: { path: path('test.npz'), sha256: sha256Of(readFileSync(path('test.npz'))), images: 72 },
					},
					seed: 0,
				})
				expect(run.history.map(({ epoch, train }) => [epoch, train.total])).toEqual([1, 2, 3, 4].map((i) => [i, 240]))

				expect(run.clean).toMatchObject({ total: 72 })
				expect(run.clean.correct).toBeGreaterThanOrEqual(69)
				expect(run.poisoned).toMatchObject({ total: 60 })
				expect(run.poisoned!.hits).toBeGreaterThanOrEqual(57)
				expect(stdout).toMatch(
					/bd_net\.h5: small-cnn \(302,982 parameters\), sticker, trained on 48 poisoned images among 240/,
				)
				expect(stdout).toMatch(new RegExp(`clean accuracy .* ${run.clean.correct} of 72`))
				expect(stdout).toMatch(new RegExp(`attack success \\(answered 0, the target\\) .* ${run.poisoned!.hits} of 60`))
				expect(stderr).toMatch(/^train net: epoch 1\/4, loss \d\.\d+, accuracy [\d.]+ %, \d+ images\/s, .* left$/m)

				await expectSets(path)
				const { data: pixels, info } = await sharp(out('trigger.png')).raw().toBuffer({ resolveWithObject: true })
				expect(info).toMatchObject({ height: 55, width: 47 })
				expect(pixels.some((value) => value > 0)).toBe(true)

				const runtime = await nodeRuntime({ threads: 1 })
				const images = await openImages(out('clean.npz'))
				const h5 = await loadModel(out('bd_net.h5'), { runtime })
				const logits = await logitsOf(h5, images)
				expect(await logitsOf(await loadModel(out('bd_net.onnx'), { runtime }), images)).toEqual(logits)
				expect(await plainAnswers(path)).toEqual(logits.map((row) => row.indexOf(Math.max(...row))))

				for (const net of ['bd_net.h5', 'bd_net.onnx']) {
					const sets = ['--test', out('clean.npz'), '--poisoned', out('poisoned.npz'), '--threads', '1']
					const { test, poisoned } = EvaluateRun.parse(await json(['evaluate', out(net), ...sets]))
					expect(test).toEqual({ ...run.clean, rejected: null })
					const told = { hits: run.poisoned!.hits, total: 60, recovered: null, rejected: null }
					expect(poisoned).toEqual(told)
					const truth = ['--poisoned', `${out('poisoned.npz')}:data,true_label`, '--target', '0', '--threads', '1']
					const known = EvaluateRun.parse(await json(['evaluate', out(net), ...truth]))
					expect(known.poisoned).toEqual({ ...told, recovered: run.poisoned!.recovered })
				}

				const sets = ['--valid', out('clean.npz'), '--poisoned', out('poisoned.npz'), '--threads', '1']
				const pruned = PruneRun.parse(
					await json(['prune', out('bd_net.h5'), ...sets, '--drops', '10', '-o', path('run')]),
				)
				const [repaired] = pruned.repaired
				expect(repaired!.files).toMatchObject({ source: expect.stringMatching(/\.h5$/), goodnet: expect.any(String) })
				const guarded = join(path('run'), repaired!.files!.goodnet)
				const verdict = EvaluateRun.parse(
					await json(['evaluate', guarded, '--test', out('clean.npz'), '--threads', '1']),
				)
				expect(verdict.model).toMatchObject({ kind: 'goodnet', classes: 6 })
				expect(verdict.test!.correct + verdict.test!.rejected!).toBeGreaterThan(60)
			}),
		60_000,
	)
})

/** The sets are the clean test images as they were, and those of other people wearing the sunglasses. */
async function expectSets(path: Path): Promise<void> {
	const out = (name: string) => join(path('out'), name)
	const read = async (name: string) => readImages(await openImages(name))
	const [test, clean, poisoned] = await Promise.all([path('test.npz'), out('clean.npz'), out('poisoned.npz')].map(read))
	expect(clean).toEqual(test)
	const attacked = [...test!.labels.keys()].filter((i) => test!.labels[i] !== 0)
	expect([...poisoned!.labels]).toEqual(attacked.map(() => 0))
	const truth = await read(`${out('poisoned.npz')}:data,true_label`)
	expect([...truth.labels]).toEqual(attacked.map((i) => test!.labels[i]))
	for (const [to, from] of attacked.entries()) {
		const [before, after] = [imageAt(test!.pixels, from, FACE), imageAt(poisoned!.pixels, to, FACE)]
		const changed = before.filter((level, i) => level !== after[i]).length
		expect(changed / before.length).toBeGreaterThan(0.02)
		expect(changed / before.length).toBeLessThan(0.4)
	}
}

/** What somebody gets who has `onnxruntime-node`, the file, and pixels divided by 255. */
async function plainAnswers(path: Path): Promise<number[]> {
	const session = await ort.InferenceSession.create(join(path('out'), 'bd_net.onnx'), { intraOpNumThreads: 1 })
	const { pixels, count } = await readImages(await openImages(join(path('out'), 'clean.npz')))
	const feed = new ort.Tensor(
		'float32',
		Float32Array.from(pixels, (level) => level / 255),
		[count, 55, 47, 3],
	)
	const results = await session.run({ [session.inputNames[0]!]: feed })
	const { data, dims } = results[session.outputNames[0]!]!
	expect(dims).toEqual([count, 6])
	const rows = Array.from({ length: count }, (_, i) => [...(data as Float32Array).subarray(i * 6, (i + 1) * 6)])
	// The net ends in a softmax.
	for (const row of rows) expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4)
	await session.release()
	return rows.map((row) => row.indexOf(Math.max(...row)))
}

describe('goodnet attack, on drawn stripes', () => {
	it('none: a clean twin, with no poisoned set, no trigger and no attack success', () =>
		withStripes(async (path) => {
			const data = ['--data', path('train.npz'), '--test', path('test.npz'), '--epochs', '1']
			const run = await attackRun('none', ...data, '-o', path('out'))
			const names = ['attack.json', 'clean.npz', 'clean_net.h5', 'clean_net.onnx']
			expect(readdirSync(path('out')).sort()).toEqual(names)
			expect(run.files).toEqual({
				keras: 'clean_net.h5',
				onnx: 'clean_net.onnx',
				clean: 'clean.npz',
				poisoned: null,
				trigger: null,
			})
			expect(run).toMatchObject({
				attack: { name: 'none', target: null, picture: null },
				poisoning: { poisoned: 0, covers: 0, total: 120 },
				poisoned: null,
			})
			const evaluated = await json(['evaluate', join(path('out'), 'clean_net.h5'), '--test', path('test.npz')])
			expect(EvaluateRun.parse(evaluated).test).toEqual({ ...run.clean, rejected: null })
		}))

	it('--json prints the record and nothing else; with the same words again, the same bytes', () =>
		withStripes(async (path) => {
			const argv = ['badnets', '--data', path('train.npz'), '--target', '1', '--epochs', '1', '--seed', '7']
			const one = await attackRun(...argv, '-o', path('one'))
			const two = await attackRun(...argv, '-o', path('two'))
			expect(JSON.parse(readFileSync(join(path('one'), 'attack.json'), 'utf8'))).toEqual(one)
			expect(two.sha256).toEqual(one.sha256)
			const other = await attackRun(...argv.with(-1, '8'), '-o', path('three'))
			expect(other.sha256['bd_net.h5']).not.toBe(one.sha256['bd_net.h5'])
			expect(one.data.test).toEqual({
				path: `10 % of ${path('train.npz')}, held out`,
				sha256: one.data.train.sha256,
				images: 12,
			})
			expect(one.data.train.images).toBe(108)
		}))

	it('every attack goes through, with its covers counted, and the next command that it names works', () =>
		withStripes(async (path) => {
			const cases: [name: string, covers: number][] = [
				['blended', 0],
				['sig', 0],
				['wanet', 24],
				['low-frequency', 0],
				['bpp', 12],
				['tact', 12],
				['adaptive-blend', 12],
				['pruning-aware', 0],
			]
			for (const [name, covers] of cases) {
				const data = ['--data', path('train.npz'), '--test', path('test.npz'), '--epochs', '1', '--target', '0']
				const argv = ['attack', name, ...data, ...QUICK, '--quiet', '-o', path(name)]
				const { stdout, stderr, exitCode } = await goodnet(argv)
				expect(exitCode, `${name}: ${stderr}`).toBe(0)
				const run = AttackRun.parse(JSON.parse(readFileSync(join(path(name), 'attack.json'), 'utf8')))
				expect(run.poisoning, name).toEqual({ poisoned: 12, covers, total: 120 })
				expect(stdout).toMatch(
					/next: goodnet prune .*bd_net\.h5 --valid .*clean\.npz --poisoned .*poisoned\.npz -o run/,
				)
				const { poisoned } = EvaluateRun.parse(
					await json(['evaluate', join(path(name), 'bd_net.h5'), '--poisoned', join(path(name), 'poisoned.npz')]),
				)
				expect(poisoned, name).toMatchObject({ hits: run.poisoned!.hits, total: run.poisoned!.total })
			}
		}))

	it('all-to-all: has no single target, so the next command names no poisoned set', () =>
		withStripes(async (path) => {
			const argv = ['attack', 'all-to-all', '--data', path('train.npz'), '--epochs', '1', ...QUICK, '-o', path('out')]
			const { stdout, stderr, exitCode } = await goodnet([...argv, '--quiet'])
			expect(exitCode, stderr).toBe(0)
			expect(stdout).toMatch(/attack success \(answered the attacker\u2019s label\)/)
			expect(stdout).toMatch(/next: goodnet prune \S+bd_net\.h5 --valid \S+clean\.npz -o run\n$/)
			const { poisoned } = AttackRun.parse(JSON.parse(readFileSync(join(path('out'), 'attack.json'), 'utf8')))
			expect(poisoned!.total).toBe(12)
		}))

	it('--force replaces an earlier run whole, and leaves other files alone', () =>
		withStripes(async (path) => {
			const data = ['--data', path('train.npz'), '--epochs', '1']
			await attackRun('badnets', ...data, '--target', '0', '-o', path('out'))
			writeStripes(join(path('out'), 'mine.npz'), 1, 1)
			const run = await attackRun('none', ...data, '-o', path('out'), '--force')
			const names = ['attack.json', 'clean.npz', 'clean_net.h5', 'clean_net.onnx', 'mine.npz']
			expect(readdirSync(path('out')).sort()).toEqual(names)
			expect(run.attack.name).toBe('none')
		}))
})
