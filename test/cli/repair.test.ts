/** `goodnet repair`, in this process, on a net that learns stripes in a second. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { RepairMethodsResult } from '../../src/contracts/cli-results.ts'
import { EvaluateRun } from '../../src/contracts/evaluate-run.ts'
import { RepairRun } from '../../src/contracts/repair-run.ts'
import { REPAIR_METHODS } from '../../src/defense/repair/methods/index.ts'
import { sha256Of } from '../../src/files.ts'
import { goodnet } from '../helpers/cli.ts'
import { writeImages } from '../helpers/npz.ts'
import { stripes, writeStripes } from '../helpers/pictures.ts'

const QUICK = ['--threads', '1', '--quiet']
const folder = mkdtempSync(join(tmpdir(), 'goodnet-repair-'))
const path = (name: string) => join(folder, name)
const net = path('badnet/bd_net.h5')
const twin = path('twin/clean_net.h5')
const poisoned = `${path('badnet/poisoned.npz')}:data,true_label`

/** The call whose output folder is `out`. */
const call = (out: string, ...flags: string[]) => [
	...['repair', net, '--method', 'fine-tuning', '--set', 'epochs=2,batch=16,lr=0.01', '--test', path('test.npz')],
	...[...flags, '-o', path(out), ...QUICK],
]
const withPoison = ['--poisoned', poisoned, '--target', '1']

beforeAll(async () => {
	writeStripes(path('train.npz'), 60, 1)
	writeStripes(path('test.npz'), 30, 2)
	writeStripes(path('clean.npz'), 20, 3)
	const data = ['--data', path('train.npz'), '--test', path('test.npz')]
	const recipe = ['--epochs', '6', '--batch', '32', '--lr', '0.003', ...QUICK]
	for (const argv of [
		['attack', 'badnets', '--target', '1', '--rate', '15', ...data, ...recipe, '-o', path('badnet')],
		['attack', 'none', ...data, ...recipe, '-o', path('twin')],
	])
		expect(await goodnet(argv)).toMatchObject({ exitCode: 0 })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function recordIn(out: string): RepairRun {
	return RepairRun.parse(JSON.parse(readFileSync(path(`${out}/run.json`), 'utf8')))
}

/** All but what time and place make different. */
function comparable(out: string) {
	const { command, seconds, ...record } = recordIn(out)
	return record
}

describe('goodnet repair', () => {
	it('writes the repaired net, its GoodNet, record and page; the files answer as the record says', async () => {
		const flags = ['--data', path('clean.npz'), ...withPoison, '--twin', twin]
		const { exitCode, stdout, stderr } = await goodnet(call('run', ...flags))
		expect(stderr).toBe('')
		expect(exitCode).toBe(0)
		const names = ['goodnet.onnx', 'repaired.h5', 'repaired.onnx', 'report.html', 'run.json']
		expect(readdirSync(path('run')).sort()).toEqual(names)
		const run = recordIn('run')
		expect(run).toMatchObject({
			command: ['goodnet', ...call('run', ...flags)].join(' '),
			model: { path: net, format: 'keras-h5', inputShape: [16, 16, 1], classes: 4 },
			data: {
				tuning: { path: `64 of ${path('clean.npz')}`, images: 64, labels: 'true' },
				valid: { path: `16 of ${path('clean.npz')}`, images: 16 },
				unlabeled: null,
				test: { images: 120 },
				poisoned: { images: 90, counted: 90, target: 1, labels: 'true' },
			},
			method: { name: 'fine-tuning', parameters: { epochs: 2, batch: 16, lr: 0.01 }, seed: 0, isOracle: false },
			twin: { path: twin, before: { test: { total: 120 } }, repaired: [{ name: '', files: null }] },
		})
		expect(run.findings.history).toHaveLength(2)
		const [{ files, sha256, after, goodnet: guard }] = run.repaired as [RepairRun['repaired'][0]]
		expect(files).toEqual({ source: 'repaired.h5', onnx: 'repaired.onnx', goodnet: 'goodnet.onnx' })
		for (const [name, digest] of Object.entries(sha256)) {
			expect(sha256Of(readFileSync(path(`run/${name}`)))).toBe(digest)
		}
		for (const [file, counts] of [
			['repaired.h5', { ...after, rejects: false }],
			['repaired.onnx', { ...after, rejects: false }],
			['goodnet.onnx', { ...guard, rejects: true }],
		] as const) {
			const sets = ['--test', path('test.npz'), ...withPoison, '--threads', '1', '--json']
			const evaluated = EvaluateRun.parse(
				JSON.parse((await goodnet(['evaluate', path(`run/${file}`), ...sets])).stdout),
			)
			const plain = counts.rejects ? {} : { rejected: null }
			expect(evaluated.test, file).toEqual({ ...counts.test, ...plain })
			expect(evaluated.poisoned, file).toEqual({ ...counts.poisoned, ...plain })
		}
		expect(stdout).toMatch(
			/^method fine-tuning: epochs 2, lr 0\.01, max-drop \d, batch 16, momentum 0\.9, decay 0\.0005; seed 0$/m,
		)
		expect(stdout).toMatch(/^repaired twin +/m)
		expect(readFileSync(path('run/report.html'), 'utf8')).toContain('goodnet · repair report')
	})

	it('prune: names the files after the drop, and takes all of one set to choose by', async () => {
		const argv = ['repair', net, '--method', 'prune', '--set', 'drops=5,20,rank=max', '--set', 'layer=pool_1']
		const data = ['--data', path('clean.npz'), '-o', path('pruned'), ...QUICK, '--json']
		const { stdout, exitCode, stderr } = await goodnet([...argv, ...data])
		expect(exitCode, stderr).toBe(0)
		const run = RepairRun.parse(JSON.parse(stdout))
		expect(run).toEqual(recordIn('pruned'))
		expect(run.method.parameters).toEqual({ drops: [5, 20], layer: 'pool_1', rank: 'max' })
		expect(run.data).toMatchObject({ tuning: null, valid: { path: path('clean.npz'), images: 80 } })
		expect(run.repaired.length).toBeGreaterThan(0)
		for (const { name, files } of run.repaired) {
			expect(files).toEqual({
				source: `repaired_${name}.h5`,
				onnx: `repaired_${name}.onnx`,
				goodnet: `goodnet_${name}.onnx`,
			})
			expect(existsSync(path(`pruned/repaired_${name}.h5`))).toBe(true)
		}
	})

	it('gives the same bytes for the same words, on sets of its own too', async () => {
		const flags = ['--tuning-data', path('train.npz'), '--valid', path('clean.npz'), ...withPoison]
		await goodnet(call('one', ...flags))
		await goodnet(call('two', ...flags))
		expect(comparable('two')).toEqual(comparable('one'))
		expect(recordIn('one').data.tuning).toMatchObject({ path: path('train.npz'), images: 240 })
	})

	it('stopped in training, goes on with --resume and ends with the same bytes, the twin’s too', async () => {
		const flags = ['--data', path('clean.npz'), ...withPoison, '--twin', twin]
		await goodnet(call('whole', ...flags))
		for (const stage of ['tune', 'twin: tune']) {
			const out = stage === 'tune' ? 'stopped' : 'stopped-in-twin'
			const argv = call(out, ...flags).filter((word) => word !== '--quiet')
			const abort = new AbortController()
			let stderr = ''
			// Time flies, so that the bar is drawn at every step, however fast the machine is.
			let clock = 0
			const run = runProgram(argv, {
				print: () => {},
				stderr: {
					isTTY: true,
					write(text) {
						stderr += text
						if (text.includes(`\u001b[2K${stage} `)) abort.abort()
					},
				},
				signal: abort.signal,
				commandLine: ['goodnet', ...argv].join(' '),
				now: () => {
					clock += 1000
					return clock
				},
			})
			await expect(run).rejects.toMatchObject({ exitCode: 130 })
			expect(stderr).toContain(`${path(out)} holds the last good checkpoint; --resume goes on from there`)
			expect(readdirSync(path(out))).toContain('journal.json')
			expect(existsSync(path(`${out}/run.json`))).toBe(false)

			const other = await goodnet([...call(out, ...flags), '--resume', '--seed', '1'])
			expect(other).toMatchObject({ exitCode: 3 })
			expect(other.stderr).toMatch(/is of another run: seed was 0 and is 1/)
			expect(await goodnet([...call(out, ...flags), '--resume'])).toMatchObject({ exitCode: 0, stderr: '' })
			expect(comparable(out)).toEqual(comparable('whole'))
			expect(readdirSync(path(out)).sort()).toEqual(readdirSync(path('whole')).sort())
		}
	})

	it('--fail-on worse: 10 where an honest net lost accuracy for nothing, and the verdict says so without it', async () => {
		const argv = ['repair', twin, '--method', 'fine-tuning', '--set', 'epochs=1,lr=3', '--data', path('clean.npz')]
		const words = [...argv, '--test', path('test.npz'), ...withPoison, ...QUICK]
		const gated = await goodnet([...words, '--fail-on', 'worse', '-o', path('worse')])
		expect(gated).toMatchObject({ exitCode: 10, stderr: '' })
		expect(gated.stdout).toMatch(/The method fine-tuning made this net worse: (ASR rose|clean accuracy fell) by /)
		const free = await goodnet([...words, '-o', path('worse'), '--force'])
		expect(free).toMatchObject({ exitCode: 0, stdout: gated.stdout })
		const good = await goodnet([...call('good', '--data', path('clean.npz'), ...withPoison), '--fail-on', 'worse'])
		expect(good).toMatchObject({ exitCode: 0 })
	})

	it('--list prints every method with its parameters, for people and as JSON', async () => {
		const { stdout } = await goodnet(['repair', '--list', '--json'])
		const { methods, default: fallback } = RepairMethodsResult.parse(JSON.parse(stdout))
		expect(methods.map(({ name }) => name)).toEqual([...REPAIR_METHODS.keys()])
		expect(REPAIR_METHODS.has(fallback)).toBe(true)
		const text = (await goodnet(['repair', '--list'])).stdout
		const help = (await goodnet(['repair', '--help'])).stdout
		for (const { name, summary, parameters } of methods) {
			expect(help).toContain(`  ${name} `)
			expect(help).toContain(summary)
			for (const { name: parameter, range } of parameters) {
				expect(text).toMatch(new RegExp(`^ +${parameter} .*${range.slice(0, 8)}`, 'm'))
			}
		}
	})
})

describe('goodnet repair refuses', () => {
	/** The call fails so, and leaves no folder. */
	async function fails(argv: readonly string[], exitCode: number, message: string | RegExp) {
		const result = await goodnet(argv)
		expect(result, result.stderr).toMatchObject({ exitCode, stdout: '' })
		if (typeof message === 'string') expect(result.stderr).toBe(`goodnet: ${message}\n`)
		else expect(result.stderr).toMatch(message)
		expect(existsSync(path('bad'))).toBe(false)
	}
	const bad = (...flags: string[]) => call('bad', ...flags)
	const clean = ['--data', path('clean.npz')]

	it('a call without model, without clean images, or with too many of them', async () => {
		await fails(['repair'], 2, 'repair needs a model: goodnet repair MODEL --data PATH')
		await fails(bad(), 2, /^goodnet: fine-tuning needs clean labelled images to learn from: --data PATH, or /)
		await fails(
			bad('--tuning-data', path('clean.npz')),
			2,
			/^goodnet: fine-tuning needs clean labelled images to choose/,
		)
		await fails(bad(...clean, '--valid', path('test.npz')), 2, /it does not go with --tuning-data or --valid$/m)
	})

	it('flags without effect', async () => {
		await fails(bad(...clean, '--target', '1'), 2, '--target: it goes with --poisoned; leave it out')
		await fails(bad(...clean, '--fail-on', 'worse'), 2, /^goodnet: --fail-on worse: .* name a set with --poisoned$/m)
		await fails(
			['repair', net, '--method', 'prune', '--tuning-data', path('train.npz'), '--valid', path('clean.npz')],
			2,
			'--tuning-data: prune learns nothing; leave it out',
		)
		await fails(
			bad(...clean, '--unlabeled', path('train.npz')),
			2,
			'--unlabeled: fine-tuning does not look at unlabelled pictures; leave it out, or take distill-unlearn',
		)
		await fails(['repair', net, '--method', 'prune', ...clean, '--valid-share', '30'], 2, /^goodnet: --valid-share: /)
	})

	it('methods and parameters that nobody knows, and values out of range', async () => {
		await fails(bad(...clean, '--method', 'magic'), 2, /^goodnet: --method: expected prune, .*, found "magic"$/m)
		await fails(bad(...clean, '--set', 'lr'), 2, '--set: expected NAME=VALUE, as in epochs=5, found "lr"')
		await fails(bad(...clean, '--set', 'epochs=3'), 2, '--set epochs: it is set twice; leave one out')
		await fails(
			bad(...clean, '--set', 'rate=3'),
			2,
			/^goodnet: --set rate: fine-tuning has no such parameter; it has: /,
		)
		await fails(bad(...clean, '--set', 'decay=2'), 2, '--set decay: expected a number, 0 to 1, found 2')
		await fails(bad(...clean, '--fail-on', 'anything', ...withPoison), 2, /^goodnet: --fail-on: /)
	})

	it('a tuning set that equals the validation set, and a single class', async () => {
		const same = ['--tuning-data', path('clean.npz'), '--valid', path('clean.npz')]
		await fails(
			bad(...same),
			3,
			/clean\.npz are the same images: what a net has learned cannot choose it; give one set/,
		)
		const { pixels, labels } = stripes(10, 5)
		const first = [...labels.keys()].filter((i) => labels[i] === 0)
		const ones = Uint8Array.from(first.flatMap((i) => [...pixels.subarray(i * 256, (i + 1) * 256)]))
		writeImages(path('one.npz'), { pixels: ones, dims: [first.length, 16, 16, 1], labels: first.map(() => 2) })
		await fails(
			bad('--data', path('one.npz')),
			3,
			/one\.npz: expected images of at least two classes, found \d+ of class 2/,
		)
	})

	it('a poisoned set of another size, or whose target nobody names', async () => {
		writeStripes(path('small.npz'), 2, 1, { height: 12, width: 16, channels: 1 })
		await fails(
			bad(...clean, '--poisoned', path('small.npz'), '--target', '1'),
			3,
			/small\.npz: expected images of 16×16×1 \(height×width×channels\), found .*; pass --resize to fit them$/m,
		)
		await fails(
			['repair', net, ...clean, '--unlabeled', 'demo:valid', '-o', path('bad'), ...QUICK],
			3,
			'demo:valid: expected images of 16×16×1 (height×width×channels), found 55×47×3; use images with that many channels',
		)
		await fails(bad(...clean, '--poisoned', path('test.npz')), 3, /name the target with --target T$/m)
	})

	it('a twin that is none', async () => {
		writeStripes(path('wide.npz'), 30, 4, { height: 20, width: 20, channels: 1 })
		const other = ['attack', 'none', '--data', path('wide.npz'), '--epochs', '1']
		expect(await goodnet([...other, ...QUICK, '-o', path('wide')])).toMatchObject({ exitCode: 0 })
		await fails(
			bad(...clean, '--twin', path('wide/clean_net.h5')),
			3,
			/expected a clean twin of .* \(a net for images of 16×16×1, 4 classes\), found one for 20×20×1, 4 classes$/m,
		)
	})

	it('training that diverges, with step and cause, and nothing left behind', async () => {
		await fails(
			[
				...['repair', net, '--method', 'fine-tuning', '--set', 'epochs=40,batch=8,lr=100,momentum=0.999,decay=1'],
				...[...clean, '-o', path('bad'), ...QUICK],
			],
			3,
			/^goodnet: training diverged: .* at step \d+/m,
		)
	})

	it('images that the net knows nothing about, unless told to go on', async () => {
		const { pixels, labels } = stripes(20, 6)
		writeImages(path('mixed.npz'), { pixels, dims: [80, 16, 16, 1], labels: labels.map((label) => (label + 1) % 4) })
		await fails(bad('--data', path('mixed.npz')), 3, /--no-check goes on all the same/)
	})

	it('a method that does not apply, in its own words', async () => {
		const argv = ['repair', net, '--method', 'prune', '--set', 'rank=bnp', ...clean, '-o', path('bad'), ...QUICK]
		await fails(argv, 3, /^goodnet: .*bd_net\.h5: .*batch normalization/m)
	})

	it('a folder that holds something, before any work', async () => {
		const result = await goodnet(call('badnet', ...clean))
		expect(result).toMatchObject({ exitCode: 3 })
		expect(result.stderr).toMatch(/expected a new or empty folder/)
	})
})
