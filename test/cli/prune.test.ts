import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PruneRun } from '../../src/contracts/prune-run.ts'
import { sha256Of } from '../../src/files.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { PLAIN_SHAPE, randomCnn, randomValues } from '../helpers/networks.ts'
import { writeImages } from '../helpers/npz.ts'

const CLASSES = 3

/** A random net, and images labelled by the net itself: accuracy starts at 100 %. */
async function withNet(body: (path: (name: string) => string) => Promise<void>, residual = false): Promise<void> {
	await inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		const shape = { ...PLAIN_SHAPE, size: 6, colours: 3, channels: 5, classes: CLASSES, seed: 21, residual }
		writeFileSync(path('net.onnx'), encodeOnnx(randomCnn(shape)))
		const random = randomValues(5)
		const pixels = Uint8Array.from({ length: 60 * 3 * 36 }, () => (random() + 1) * 127)
		const images = { pixels, dims: [60, 3, 6, 6] }
		writeImages(path('valid.npz'), { ...images, labels: Array<number>(60).fill(0) })
		const { stdout } = await goodnet(['predict', path('net.onnx'), path('valid.npz'), '--json', '--quiet'])
		const labels = JSON.parse(stdout).predictions.map(({ label }: { label: number }) => label)
		writeImages(path('valid.npz'), { ...images, labels })
		await body(path)
	})
}

async function prune(path: (name: string) => string, output: string, ...flags: string[]): Promise<PruneRun> {
	const argv = ['prune', path('net.onnx'), '--layer', 'layer', '-o', path(output), '--json', '--quiet', ...flags]
	const { stdout, stderr, exitCode } = await goodnet(argv)
	expect(exitCode, stderr).toBe(0)
	return PruneRun.parse(JSON.parse(stdout))
}

describe('goodnet prune', () => {
	it('with --order FILE repeats a run’s sweep in that order, whatever separates the numbers', () =>
		withNet(async (path) => {
			const ranked = await prune(path, 'ranked', '--valid', path('valid.npz'), '--drops', '5')
			writeFileSync(path('order.json'), JSON.stringify(ranked.order))
			writeFileSync(path('order.txt'), ranked.order.join('\n'))
			for (const file of ['order.json', 'order.txt']) {
				const given = await prune(
					path,
					`run-${file}`,
					'--valid',
					path('valid.npz'),
					'--drops',
					'5',
					'--order',
					path(file),
				)
				expect(given.steps).toEqual(ranked.steps)
				expect(given.repaired.map(({ pruned, sha256 }) => ({ pruned, sha256 }))).toEqual(
					ranked.repaired.map(({ pruned, sha256 }) => ({ pruned, sha256 })),
				)
				expect(given.orderSource).toBe('given')
			}
		}))

	it('with --channels and data measures exactly that net', () =>
		withNet(async (path) => {
			const { repaired, steps } = await prune(path, 'run', '--valid', path('valid.npz'), '--channels', '3,1')
			expect(repaired).toHaveLength(1)
			expect(repaired[0]).toMatchObject({ drop: null, pruned: 2, channels: [3, 1], valid: steps[2]!.valid })
		}))

	it('without labels calls accuracy what it is: agreement with B', () =>
		withNet(async (path) => {
			const { pixels, dims } = {
				pixels: new Uint8Array(20 * 3 * 36).map((_, i) => (i * 37) % 256),
				dims: [20, 3, 6, 6],
			}
			writeImages(path('unlabelled.npz'), { pixels, dims, labels: null })
			const argv = [
				'prune',
				path('net.onnx'),
				'--layer',
				'layer',
				'--valid',
				path('unlabelled.npz'),
				'-o',
				path('run'),
				'--quiet',
			]
			const { stdout, stderr, exitCode } = await goodnet(argv)
			expect(exitCode, stderr).toBe(0)
			expect(stdout).toMatch(/agreement with B/)
			expect(stdout).not.toMatch(/clean accuracy/)
			expect(readFileSync(path('run/report.html'), 'utf8')).toMatch(/agreement with B/)
			const run = PruneRun.parse(JSON.parse(readFileSync(path('run/run.json'), 'utf8')))
			expect(run.data.valid?.labels).toBe('agreement')
			expect(run.steps[0]!.valid).toEqual({ correct: 20, total: 20 })
		}))

	it('says which drops no net reached, and writes no file for them', () =>
		withNet(async (path) => {
			writeFileSync(path('order.txt'), '0')
			const run = await prune(path, 'run', '--valid', path('valid.npz'), '--drops', '99', '--order', path('order.txt'))
			expect(run.notReached).toEqual([99])
			expect(run.repaired).toEqual([])
		}))

	it('with --compact also writes the net without its pruned channels: same counts, smaller file', () =>
		withNet(async (path) => {
			const run = await prune(path, 'run', '--valid', path('valid.npz'), '--drops', '5', '--compact')
			const [{ compact, pruned, valid, sha256 } = expect.fail()] = run.repaired
			expect(compact).toMatchObject({ file: 'compact_5.onnx', removed: pruned, reason: null })
			expect(compact!.parameters.after).toBeLessThan(compact!.parameters.before)
			expect(compact!.secondsPerImage!.after).toBeGreaterThan(0)
			const bytes = readFileSync(path('run/compact_5.onnx'))
			expect(compact!.bytes.after).toBe(bytes.length)
			expect(compact!.bytes.before).toBe(readFileSync(path('run/repaired_5.onnx')).length)
			expect(sha256['compact_5.onnx']).toBe(sha256Of(bytes))
			const argv = ['evaluate', path('run/compact_5.onnx'), '--test', path('valid.npz'), '--json', '--quiet']
			expect(JSON.parse((await goodnet(argv)).stdout).test).toMatchObject(valid!)
			expect(readFileSync(path('run/report.html'), 'utf8')).toMatch(/compact_5\.onnx/)
		}))

	it('with --compact says why channels stay where a sum still needs them', () =>
		withNet(async (path) => {
			const flags = ['--layer', 'conv_2', '--channels', '0,1', '--compact']
			const run = await prune(path, 'run', ...flags)
			expect(run.repaired[0]!.compact).toMatchObject({
				file: null,
				removed: 0,
				reason: '2 channels stay: sum (Add) combines them with channels that are in use',
				secondsPerImage: null,
			})
			const argv = ['prune', path('net.onnx'), ...flags, '-o', path('again'), '--quiet']
			expect((await goodnet(argv)).stdout).toMatch(
				/the net given by hand, compact: nothing written; 2 channels stay: sum/,
			)
		}, true))

	it('masks where weights cannot silence a channel, and says so', () =>
		withNet(async (path) => {
			const run = await prune(path, 'run', '--valid', path('valid.npz'), '--layer', 'sum', '--drops', '5')
			expect(run.model).toMatchObject({ layer: 'sum', intervention: 'mask', producer: null })
		}, true))

	it('writes into an empty folder that is there already, a mount point or a link included', () =>
		withNet(async (path) => {
			mkdirSync(path('real'))
			symlinkSync(path('real'), path('run'))
			await prune(path, 'run', '--channels', '0')
			expect(readdirSync(path('real')).sort()).toEqual([
				...['curve.csv', 'goodnet_1_channels.onnx', 'repaired_1_channels.onnx', 'report.html', 'run.json'],
			])
		}))

	it('takes a drop that is named twice once', () =>
		withNet(async (path) => {
			const { repaired, notReached } = await prune(path, 'run', '--valid', path('valid.npz'), '--drops', '5,5')
			expect(repaired.length + notReached.length).toBe(1)
		}))

	it('keeps a GoodNet’s own preprocessing where a flag tells only part of it', () =>
		withNet(async (path) => {
			await prune(path, 'run', '--channels', '0', '--scale', '1/255', '--mean', '0.5')
			const labels = async (...flags: string[]) => {
				const argv = ['predict', path('run/goodnet_1_channels.onnx'), path('valid.npz'), '--json', '--quiet', ...flags]
				return JSON.parse((await goodnet(argv)).stdout).predictions
			}
			expect(await labels('--resize')).toEqual(await labels())
			const { metadata } = JSON.parse(
				(await goodnet(['inspect', path('run/goodnet_1_channels.onnx'), '--json'])).stdout,
			)
			expect(JSON.parse(metadata['goodnet.preprocessing'])).toMatchObject({ scale: 1 / 255, mean: [0.5] })
			const hash = sha256Of(readFileSync(path('run/repaired_1_channels.onnx')))
			expect(metadata).toMatchObject({ 'goodnet.schema': 'goodnet/guard@1', 'goodnet.repaired.sha256': hash })
		}))

	it('refuses to prune the answer itself, and a GoodNet', () =>
		withNet(async (path) => {
			const run = (model: string, ...flags: string[]) =>
				goodnet(['prune', path(model), '--channels', '0', '-o', path('x'), '--quiet', ...flags])
			expect(await run('net.onnx', '--layer', 'logits')).toMatchObject({
				exitCode: 3,
				stderr: expect.stringMatching(/logits is not among/),
			})
			await prune(path, 'run', '--channels', '0')
			expect(await run('run/goodnet_1_channels.onnx')).toMatchObject({
				exitCode: 3,
				stderr: expect.stringMatching(/is a GoodNet already/),
			})
		}))

	it('removes with --force the nets of the earlier run, and nothing else', () =>
		withNet(async (path) => {
			await prune(path, 'run', '--channels', '0')
			writeFileSync(path('run/notes.txt'), 'mine')
			await prune(path, 'run', '--channels', '0,1', '--force')
			expect(readdirSync(path('run')).sort()).toEqual([
				...['curve.csv', 'goodnet_2_channels.onnx', 'notes.txt', 'repaired_2_channels.onnx', 'report.html', 'run.json'],
			])
		}))

	it('overwrites an earlier run with --force', () =>
		withNet(async (path) => {
			await prune(path, 'run', '--valid', path('valid.npz'))
			const run = await prune(path, 'run', '--channels', '0', '--force')
			expect(JSON.parse(readFileSync(path('run/run.json'), 'utf8'))).toEqual(run)
		}))
})
