/** `goodnet prune --resume`, with real processes that are killed in mid-run. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { randomValues } from '../helpers/networks.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const argvFor = (folder: string) => [
	...['prune', sharedPath('models/backdoored/mnist-white-square/badnet_mnist.onnx')],
	...['--valid', sharedPath('data/mnist/t10k-images-idx3-ubyte.gz')],
	...['--scale', '1/255', '--mean', '0.5', '--std', '0.5', '--drops', '2,10', '--layer', sweptLayer, '-o', folder],
]
/** 512 channels on 10,000 images: seconds of work, so that there is time to kill the run. */
const sweptLayer = '/fc1/fc1.1/Relu_output_0'

/** Runs the command and kills it with SIGKILL once `mayEnd` says so; null where it came to its own end before. */
function runUntil(argv: readonly string[], mayEnd: (elapsedMs: number) => boolean): Promise<number | null> {
	const child = spawn(process.execPath, [main, ...argv, '--quiet'], { stdio: 'ignore' })
	const start = performance.now()
	const timer = setInterval(() => {
		if (mayEnd(performance.now() - start)) child.kill('SIGKILL')
	}, 20)
	return new Promise((resolve) => {
		child.on('exit', (code) => {
			clearInterval(timer)
			resolve(code)
		})
	})
}

function recordIn(folder: string) {
	const { seconds, command, ...record } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'))
	expect(seconds.total).toBeGreaterThan(0)
	return { ...record, command: command.replaceAll(folder, 'OUT') }
}

describeShared('a run killed with kill -9', () => {
	it(
		'goes on with --resume, however often it is killed, and ends with the same run.json',
		() =>
			inTemporaryFolder(async (folder) => {
				const whole = join(folder, 'whole')
				expect(await runUntil(argvFor(whole), () => false)).toBe(0)
				expect(readdirSync(whole)).not.toContain('journal.json')

				const killed = join(folder, 'killed')
				const journal = join(killed, 'journal.json')
				const random = randomValues(Date.now())
				let kills = 0
				for (let code: number | null = null; code === null; ) {
					const before = existsSync(journal) ? readFileSync(journal, 'utf8') : ''
					const wait = 200 * (random() + 1)
					let changedAt = Number.POSITIVE_INFINITY
					code = await runUntil([...argvFor(killed), '--resume'], (elapsed) => {
						// At some moment after the journal has grown, so that every process makes progress; and no more than four times.
						const isGrown = existsSync(journal) && readFileSync(journal, 'utf8') !== before
						if (isGrown) changedAt = Math.min(changedAt, elapsed)
						return kills < 4 && elapsed > changedAt + wait
					})
					if (code === null) kills++
				}
				expect(kills).toBeGreaterThan(0)
				const expected = recordIn(whole)
				expect({ ...recordIn(killed), command: expected.command }).toEqual(expected)
				expect(readdirSync(killed).sort()).toEqual(readdirSync(whole).sort())
			}),
		240_000,
	)

	it(
		'is named where the same folder is used without --resume, and not mixed up with another run',
		() =>
			inTemporaryFolder(async (folder) => {
				const out = join(folder, 'run')
				const journal = join(out, 'journal.json')
				expect(await runUntil(argvFor(out), () => existsSync(journal))).toBeNull()
				const again = await goodnet(argvFor(out))
				expect(again).toMatchObject({ exitCode: 3 })
				expect(again.stderr).toMatch(/holds an unfinished run; add --resume to go on with it, or --force to start anew/)
				const other = await goodnet([...argvFor(out), '--resume', '--rank', 'max'])
				expect(other).toMatchObject({ exitCode: 3 })
				expect(other.stderr).toMatch(/journal\.json is of another run: options was .* and is .*"rank":"max"/)
				writeFileSync(journal, '{"schema":"goodnet/journal@1"}')
				const broken = await goodnet([...argvFor(out), '--resume'])
				expect(broken).toMatchObject({ exitCode: 3 })
				expect(broken.stderr).toMatch(/expected the journal of an unfinished run, found something else/)
			}),
		120_000,
	)
})
