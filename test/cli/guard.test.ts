import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GuardRun } from '../../src/contracts/guard-run.ts'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { sha256Of } from '../../src/files.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { saveModel } from '../../src/model/save.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { modelOf } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn, randomValues } from '../helpers/networks.ts'
import { writeImages } from '../helpers/npz.ts'

const SHAPE = { ...PLAIN_SHAPE, size: 6, colours: 3, channels: 5, classes: 3, seed: 21 }
const ALL = ['goodnet', 'disagreement', 'quorum', 'flip-depth', 'logit', 'margin', 'quarantine']

type Path = (name: string) => string

/** A net, two repaired forms of it, another net, and sets with labels of no meaning. */
async function withNets(body: (path: Path) => Promise<void>): Promise<void> {
	await inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		const net = await modelOf(randomCnn(SHAPE))
		const layer = chooseLayer(net, 'layer')
		await saveModel(net, path('net.onnx'))
		await saveModel(pruneChannels(net, layer, [0]), path('repaired_1.onnx'))
		await saveModel(pruneChannels(net, layer, [1, 2]), path('repaired_2.onnx'))
		writeFileSync(path('other.onnx'), encodeOnnx(randomCnn({ ...SHAPE, classes: 4 })))
		for (const [seed, name] of ['valid', 'test', 'poisoned'].entries()) writeSet(path(`${name}.npz`), seed)
		writeImages(path('unlabelled.npz'), { ...pixels(60, 0), labels: null })
		await body(path)
	})
}

function pixels(count: number, seed: number) {
	const random = randomValues(seed + 5)
	return { pixels: Uint8Array.from({ length: count * 3 * 36 }, () => (random() + 1) * 127), dims: [count, 3, 6, 6] }
}

function writeSet(path: string, seed: number): void {
	writeImages(path, { ...pixels(60, seed), labels: Array.from({ length: 60 }, (_, i) => (i * 7 + seed) % 3) })
}

const repairedOf = (path: Path) => ['--repaired', path('repaired_1.onnx'), path('repaired_2.onnx')]

function guardArgv(path: Path, ...flags: string[]): string[] {
	return ['guard', path('net.onnx'), '-o', path('guards'), '--quiet', '--no-check', '--threads', '1', ...flags]
}

describe('goodnet guard', () => {
	it('makes all guards that the inputs allow: each file answers what the record counts', () =>
		withNets(async (path) => {
			const sets = ['--test', path('test.npz'), '--poisoned', path('poisoned.npz'), '--target', '1']
			const flags = ['--valid', path('valid.npz'), ...sets, '--quarantine', '0,2', '--layer', 'layer', '--frr', '10']
			const { stdout, stderr, exitCode } = await goodnet(guardArgv(path, ...repairedOf(path), ...flags, '--json'))
			expect(exitCode, stderr).toBe(0)
			const run = GuardRun.parse(JSON.parse(stdout))
			expect(JSON.parse(readFileSync(path('guards/guard.json'), 'utf8'))).toEqual(run)
			expect(run.guards.map(({ kind }) => kind)).toEqual(ALL)
			expect(run.notMade).toEqual([])
			expect(run).toMatchObject({ falseRejectionRate: 10, data: { poisoned: { target: 1, images: 60, counted: 40 } } })
			expect(readdirSync(path('guards')).sort()).toEqual(
				[...ALL.map((kind) => `guard_${kind}.onnx`), 'guard.json'].sort(),
			)
			for (const guard of run.guards) {
				expect(run.sha256[guard.file]).toBe(sha256Of(readFileSync(path(`guards/${guard.file}`))))
				const again = await goodnet([
					'evaluate',
					path(`guards/${guard.file}`),
					...sets,
					'--json',
					'--quiet',
					'--threads',
					'1',
				])
				expect(JSON.parse(again.stdout)).toMatchObject({
					model: { kind: 'goodnet' },
					test: guard.test!,
					poisoned: guard.poisoned!,
				})
				const { chosenBy, valid } = guard.threshold
				expect(chosenBy).toBe(['goodnet', 'quarantine'].includes(guard.kind) ? 'fixed' : 'false-rejection-rate')
				if (chosenBy !== 'fixed') expect(valid.rejected).toBeLessThanOrEqual(6)
				expect(guard.auroc).toMatchObject({ clean: 'test', negatives: 60, positives: 40 })
			}
			const shas = run.repaired.map(({ sha256 }) => sha256).join(',')
			const { stdout: inspected } = await goodnet(['inspect', path('guards/guard_quorum.onnx'), '--json'])
			expect(JSON.parse(inspected).metadata['goodnet.repaired.sha256']).toBe(shas)
		}))

	it('without repaired nets or labels makes the others, prints a table, and says why not these', () =>
		withNets(async (path) => {
			const { stdout, exitCode } = await goodnet(guardArgv(path, '--valid', path('unlabelled.npz'), '--frr', '10'))
			expect(exitCode).toBe(0)
			expect(stdout).toMatch(/^guard +threshold\n/)
			for (const kind of ['flip-depth', 'logit', 'margin']) expect(stdout).toMatch(new RegExp(`^${kind} `, 'm'))
			expect(stdout).toMatch(/goodnet was not made: it needs a repaired net, --repaired FILE/)
			expect(stdout).toMatch(/quarantine was not made: it needs labels, --quarantine LIST/)
		}))

	it('measures the area against the validation images where there is no test set', () =>
		withNets(async (path) => {
			const flags = [
				'--valid',
				path('valid.npz'),
				'--poisoned',
				path('poisoned.npz'),
				'--target',
				'1',
				'--kind',
				'logit,logit',
			]
			const run = GuardRun.parse(JSON.parse((await goodnet(guardArgv(path, ...flags, '--json'))).stdout))
			expect(run.guards).toHaveLength(1)
			expect(run.guards[0]).toMatchObject({ test: null, auroc: { clean: 'valid' } })
		}))

	it('takes the order of flip depth from a file or a ranking, and a quorum by number', () =>
		withNets(async (path) => {
			writeFileSync(path('order.txt'), '4 2 0 1 3')
			const given = ['--order', path('order.txt'), '--checkpoints', '2', '--flips', 'late', '--layer', 'layer']
			const flags = ['--valid', path('valid.npz'), '--kind', 'flip-depth,quorum', ...repairedOf(path), '--quorum', '1']
			const { stdout } = await goodnet(guardArgv(path, ...flags, ...given, '--json'))
			const { guards } = GuardRun.parse(JSON.parse(stdout))
			expect(guards[0]!.parameters).toEqual({
				layer: 'layer',
				order: [4, 2, 0, 1, 3],
				checkpoints: [2, 3],
				suspect: 'late',
			})
			expect(guards[1]!.threshold).toMatchObject({ value: 0, chosenBy: 'fixed' })
			const ranked = await goodnet(
				guardArgv(path, '--force', ...flags.slice(0, 2), '--kind', 'flip-depth', '--rank', 'l1', '--json'),
			)
			expect(GuardRun.parse(JSON.parse(ranked.stdout)).guards[0]!.parameters).toMatchObject({ suspect: 'early' })
		}))
})

describe('what goodnet guard refuses', () => {
	const valid = (path: Path) => ['--valid', path('valid.npz')]
	const CASES: [what: string, exitCode: number, message: RegExp, flags: (path: Path) => string[]][] = [
		['no clean images', 2, /--valid: expected clean images to choose thresholds on, found nothing/, () => []],
		['a rate of 0', 2, /above 0 and below 100, found 0/, (path) => [...valid(path), '--frr', '0']],
		['a rate of 100', 2, /above 0 and below 100, found 100/, (path) => [...valid(path), '--frr', '100']],
		['an unknown kind', 2, /--kind: .*"quorum"/, (path) => [...valid(path), '--kind', 'logit,firewall']],
		[
			'disagreement without a repaired net',
			2,
			/--kind disagreement: it needs a repaired net, --repaired FILE/,
			(path) => [...valid(path), '--kind', 'disagreement'],
		],
		[
			'a quorum of one net',
			2,
			/--kind quorum: it needs two repaired nets/,
			(path) => [...valid(path), '--kind', 'quorum', ...repairedOf(path).slice(0, 2)],
		],
		[
			'a quorum number without nets',
			2,
			/--quorum: it needs two repaired nets/,
			(path) => [...valid(path), '--quorum', '1'],
		],
		[
			'a quorum of more than there are',
			2,
			/quorum of 2 nets is 1 to 2, found 3/,
			(path) => [...valid(path), ...repairedOf(path), '--quorum', '3'],
		],
		[
			'quarantine without labels',
			2,
			/--kind quarantine: it needs labels/,
			(path) => [...valid(path), '--kind', 'quarantine'],
		],
		[
			'an order that no guard asks for',
			2,
			/--layer belongs to flip-depth/,
			(path) => [...valid(path), '--kind', 'logit', '--layer', 'layer'],
		],
		[
			'an order and a ranking',
			2,
			/--order leaves nothing to rank/,
			(path) => [...valid(path), '--order', 'x', '--rank', 'l1'],
		],
		['a seed for nothing', 2, /--seed belongs to --rank random/, (path) => [...valid(path), '--seed', '1']],
		[
			'a label that the net does not have',
			3,
			/expected labels 0..2 to quarantine .* found 3/,
			(path) => [...valid(path), '--quarantine', '3'],
		],
		[
			'a repaired net of other classes',
			3,
			/other.onnx is no repaired form of .*net.onnx/,
			(path) => [...valid(path), '--repaired', path('other.onnx')],
		],
		['a ranking that does not apply', 3, /bnp/, (path) => [...valid(path), '--rank', 'bnp']],
		[
			'poisoned images without a target',
			3,
			/name the target with --target T/,
			(path) => [...valid(path), '--poisoned', path('poisoned.npz')],
		],
	]
	for (const [what, exitCode, message, flags] of CASES) {
		it(what, () =>
			withNets(async (path) => {
				const result = await goodnet(guardArgv(path, ...flags(path)))
				expect(result.stderr).toMatch(message)
				expect(result.exitCode).toBe(exitCode)
				expect(result.stdout).toBe('')
				expect(readdirSync(path('.'))).not.toContain('guards')
			}),
		)
	}

	it('leaves nothing behind when it is interrupted', () =>
		withNets(async (path) => {
			const result = await goodnet(guardArgv(path, ...valid(path)), AbortSignal.abort())
			expect(result).toMatchObject({ exitCode: 130, stdout: '' })
			expect(readdirSync(path('.'))).not.toContain('guards')
		}))

	it('a GoodNet, and a folder that holds something', () =>
		withNets(async (path) => {
			const made = await goodnet(guardArgv(path, ...valid(path), '--kind', 'logit'))
			expect(made.exitCode).toBe(0)
			const again = await goodnet(guardArgv(path, ...valid(path)))
			expect(again.exitCode).toBe(3)
			expect(again.stderr).toMatch(/expected a new or empty folder/)
			const twice = await goodnet(['guard', path('guards/guard_logit.onnx'), ...valid(path), '-o', path('more')])
			expect(twice.exitCode).toBe(3)
			expect(twice.stderr).toMatch(/is a GoodNet already; guard the net that it was made of/)
		}))
})
