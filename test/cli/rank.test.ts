/** `goodnet prune --rank …` as typed, its files and its refusals. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PruneRun, RankName } from '../../src/contracts/prune-run.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { vgg } from '../helpers/architectures/vgg.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { randomValues } from '../helpers/networks.ts'
import { writeImages } from '../helpers/npz.ts'

const SHAPE = { size: 8, classes: 4, widths: [4, 6], stages: 2, seed: 4 }
const IMAGES = 80

type Path = (name: string) => string

/** `net.onnx` with batch normalization, `folded.onnx` without, and images labelled by the net itself. */
async function withNet(body: (path: Path) => Promise<void>): Promise<void> {
	await inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		writeFileSync(path('net.onnx'), encodeOnnx(vgg(SHAPE)))
		writeFileSync(path('folded.onnx'), encodeOnnx(vgg({ ...SHAPE, forms: { normalization: 'folded' } })))
		const random = randomValues(8)
		const pixels = Uint8Array.from({ length: IMAGES * 3 * 64 }, () => (random() + 1) * 127)
		const images = { pixels, dims: [IMAGES, 3, 8, 8] }
		writeImages(path('images.npz'), { ...images, labels: null })
		const { stdout, stderr } = await goodnet(['predict', path('net.onnx'), path('images.npz'), '--json', '--quiet'])
		expect(stderr).toBe('')
		const labels = JSON.parse(stdout).predictions.map(({ label }: { label: number }) => label)
		writeImages(path('valid.npz'), { ...images, labels })
		await body(path)
	})
}

function run(path: Path, flags: readonly string[], model = 'net.onnx') {
	return goodnet(['prune', path(model), '-o', path('run'), '--force', '--quiet', ...flags])
}

async function record(path: Path, ...flags: string[]): Promise<PruneRun> {
	const { stdout, stderr, exitCode } = await run(path, ['--json', ...flags])
	expect(exitCode, stderr).toBe(0)
	return PruneRun.parse(JSON.parse(stdout))
}

describe('goodnet prune --rank', () => {
	for (const rank of RankName.options) {
		it(`${rank}: one layer, the whole curve, and its name in record, page and table`, () =>
			withNet(async (path) => {
				const { order, orderSource, ranking, steps, layers, elbow } = await record(
					path,
					...['--valid', path('valid.npz'), '--rank', rank, '--drops', '5'],
				)
				expect(orderSource).toBe('ranked')
				expect(ranking?.name).toBe(rank)
				expect(ranking?.scores).toHaveLength(order.length)
				expect(steps.map(({ channel }) => channel)).toEqual([null, ...order])
				expect(layers).toBeNull()
				expect(elbow === null).toBe(rank !== 'clp' && rank !== 'bnp')
				expect(readFileSync(path('run/report.html'), 'utf8')).toContain(`(ranking ${rank})`)
				const csv = readFileSync(path('run/curve.csv'), 'utf8').trimEnd().split('\n')
				expect(csv.at(-1)!.split(',').at(-1)).toBe(String(ranking!.scores[order.at(-1)!]))
				const { stdout } = await run(path, ['--valid', path('valid.npz'), '--rank', rank, '--drops', '5'])
				if (rank !== 'mean') expect(stdout).toContain(`ranking ${rank}: `)
			}))
	}

	it('mean is the default, to the byte', () =>
		withNet(async (path) => {
			const flags = ['--valid', path('valid.npz')]
			const [byDefault, named] = [await record(path, ...flags), await record(path, ...flags, '--rank', 'mean')]
			expect({ ...named, command: '', seconds: null }).toEqual({ ...byDefault, command: '', seconds: null })
			expect(byDefault.ranking?.scores).toEqual(byDefault.meanActivation)
		}))

	it('--layer all: units of every layer in one order, elbow and threshold written like a drop', () =>
		withNet(async (path) => {
			const flags = ['--valid', path('valid.npz'), '--rank', 'clp', '--layer', 'all', '--u', '0.5', '--drops', '10']
			const { model, layers, order, steps, repaired, elbow } = await record(path, ...flags)
			expect(model).toMatchObject({ layer: 'all', producer: null, channels: 10, intervention: 'normalization' })
			expect(layers?.map(({ producer, channels }) => [producer, channels])).toEqual([
				['features.0.0.conv', 4],
				['features.1.0.conv', 6],
			])
			expect(steps.map(({ pruned }) => pruned)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
			const files = repaired.flatMap(({ sha256 }) => Object.keys(sha256))
			expect(readdirSync(path('run')).sort()).toEqual([...files, 'curve.csv', 'report.html', 'run.json'].sort())
			expect(files).toEqual(expect.arrayContaining(['repaired_u0.5.onnx', 'goodnet_u0.5.onnx', 'repaired_10.onnx']))
			expect(files.includes('repaired_elbow.onnx')).toBe(elbow! > 0)
			for (const { channels, pruned, valid, files: names, goodnet: guarded } of repaired) {
				expect(channels).toEqual(order.slice(0, pruned))
				for (const [name, counts] of [
					[names!.onnx, valid],
					[names!.goodnet, guarded.valid],
				] as const) {
					const argv = ['evaluate', path(`run/${name}`), '--test', path('valid.npz'), '--json', '--quiet']
					expect(JSON.parse((await goodnet(argv)).stdout).test).toMatchObject(counts!)
				}
			}
		}))

	it('--rank clp --u needs no data, for one layer or all', () =>
		withNet(async (path) => {
			for (const layer of [[], ['--layer', 'all']]) {
				const { data, repaired, steps, ranking, order } = await record(path, '--rank', 'clp', '--u', '0.5', ...layer)
				expect(data).toEqual({ valid: null, test: null, poisoned: null })
				expect(repaired).toHaveLength(1)
				expect(repaired[0]).toMatchObject({ chosenBy: 'threshold', u: 0.5, drop: null, valid: null })
				expect(repaired[0]!.files).toMatchObject({ onnx: 'repaired_u0.5.onnx', goodnet: 'goodnet_u0.5.onnx' })
				expect(steps).toHaveLength(repaired[0]!.pruned + 1)
				expect(order).toHaveLength(ranking!.scores.length)
			}
		}))

	const REFUSED: [what: string, flags: string[], exitCode: number, message: RegExp, model?: string][] = [
		['an unknown ranking', ['--rank', 'taylor'], 2, /--rank: .*mean.*random/],
		[
			'bnp where normalization was folded',
			['--rank', 'bnp'],
			3,
			/folded\.onnx: bnp reads .*none stands before pool2/,
			'folded.onnx',
		],
		[
			'bnp across layers where it was folded',
			['--rank', 'bnp', '--layer', 'all'],
			3,
			/folded\.onnx: bnp .* the net has none/,
			'folded.onnx',
		],
		[
			'l1 across layers',
			['--rank', 'l1', '--layer', 'all'],
			2,
			/l1 ranks the channels of one layer .* clp, bnp, random/,
		],
		['--layer all by the default ranking', ['--layer', 'all'], 2, /^goodnet: mean ranks the channels of one layer/],
		['a threshold that l1 has not', ['--rank', 'l1', '--u', '3'], 2, /l1 is not published with a threshold/],
		['a threshold that is no number', ['--rank', 'clp', '--u', 'three'], 2, /--u: expected a number, found "three"/],
		['a threshold above every channel', ['--rank', 'clp', '--u', '99'], 3, /the highest lies .* name a smaller --u/],
		['a seed for what is not random', ['--rank', 'l1', '--seed', '1'], 2, /--seed belongs to --rank random/],
		['a ranking of given channels', ['--rank', 'l1', '--channels', '1'], 2, /leave nothing to rank/],
	]
	for (const [what, flags, exitCode, message, model] of REFUSED) {
		it(`refuses ${what}, and leaves nothing behind`, () =>
			withNet(async (path) => {
				const result = await run(path, ['--valid', path('valid.npz'), ...flags], model)
				expect(result.stderr).toMatch(message)
				expect(result.exitCode).toBe(exitCode)
				expect(readdirSync(path('.'))).not.toContain('run')
			}))
	}

	it('without data says what needs none', () =>
		withNet(async (path) => {
			const noData = /--valid PATH with clean images; --channels LIST and --rank clp --u NUMBER prune without data/
			expect(await run(path, ['--rank', 'l1'])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(noData) })
			expect(await run(path, ['--rank', 'bnp', '--u', '3'])).toMatchObject({
				exitCode: 2,
				stderr: expect.stringMatching(/bnp looks at clean images; name some with --valid PATH/),
			})
		}))
})
