/** `goodnet attack --resume`, with real processes that are stopped in mid-training. They run `dist/`, as built last. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { AttackRun } from '../../src/contracts/attack-run.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { randomValues } from '../helpers/networks.ts'
import { writeStripes } from '../helpers/pictures.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

interface Ended {
	/** Null where the process was killed. */
	readonly code: number | null
	readonly stderr: string
}

/** Runs the command, and sends it `signal` once `mayEnd` says so. */
function runUntil(argv: readonly string[], signal: NodeJS.Signals, mayEnd: () => boolean): Promise<Ended> {
	const child = spawn(process.execPath, [main, ...argv, '--quiet'], { stdio: ['ignore', 'ignore', 'pipe'] })
	let stderr = ''
	child.stderr.on('data', (chunk) => {
		stderr += chunk
	})
	let isSent = false
	const timer = setInterval(() => {
		if (isSent || !mayEnd()) return
		isSent = true
		child.kill(signal)
	}, 10)
	return new Promise((resolve) => {
		child.on('close', (code) => {
			clearInterval(timer)
			resolve({ code, stderr })
		})
	})
}

/** True a random while, up to `most` ms, after the checkpoints in `folder` have changed: every process gets on a bit. */
function soonAfterProgress(folder: string, random: () => number, most: number): () => boolean {
	const before = checkpoints(folder)
	const wait = (most * (random() + 1)) / 2
	let changedAt = Number.POSITIVE_INFINITY
	return () => {
		if (checkpoints(folder) !== before) changedAt = Math.min(changedAt, performance.now())
		return performance.now() > changedAt + wait
	}
}

/** Stages and their steps, as the checkpoints' headers tell them. */
function checkpoints(folder: string): string {
	const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.safetensors')) : []
	return names
		.sort()
		.map((name) => `${name} ${/"step\\":(\d+)/.exec(readFileSync(join(folder, name), 'latin1'))?.[1]}`)
		.join()
}

function recordIn(folder: string): AttackRun {
	return AttackRun.parse(JSON.parse(readFileSync(join(folder, 'attack.json'), 'utf8')))
}

/** All but what time and place make different. */
function comparable(folder: string) {
	const { command, seconds, imagesPerSecond, ...record } = recordIn(folder)
	return { ...record, names: readdirSync(folder).sort() }
}

/** Seconds of training: checkpoints are a second apart. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
	// All cores: the loop runs in a worker thread.
	badnets: ['attack', 'badnets', '--target', '1', '--epochs', '22', '--crop', '2', '--flip', '--patience', '21'],
	'pruning-aware': ['attack', 'pruning-aware', '--target', '1', '--epochs', '14', '--threads', '1'],
}

function argvFor(name: string, folder: string, output: string): string[] {
	const data = ['--data', join(folder, 'train.npz'), '--test', join(folder, 'test.npz'), '--batch', '32']
	return [...RUNS[name]!, ...data, '-o', output]
}

function withStripes(body: (folder: string) => Promise<void>): Promise<void> {
	return inTemporaryFolder(async (folder) => {
		writeStripes(join(folder, 'train.npz'), 60, 1)
		writeStripes(join(folder, 'test.npz'), 10, 2)
		await body(folder)
	})
}

const never = () => false

for (const name of Object.keys(RUNS)) {
	describe(`a training run of ${name}, stopped in the middle`, () => {
		it(
			'by kill -9, however often, goes on with --resume and ends with the same bytes; until then it looks unfinished',
			() =>
				withStripes(async (folder) => {
					const whole = join(folder, 'whole')
					expect(await goodnet([...argvFor(name, folder, whole), '--quiet'])).toMatchObject({ exitCode: 0, stderr: '' })
					const out = join(folder, 'killed')
					const random = randomValues(Date.now())
					let kills = 0
					for (let code: number | null = null; code === null; ) {
						const mayEnd = kills < 2 ? soonAfterProgress(out, random, 400) : never
						const ended = await runUntil([...argvFor(name, folder, out), '--resume'], 'SIGKILL', mayEnd)
						code = ended.code
						if (code !== null) {
							expect(ended).toEqual({ code: 0, stderr: '' })
							continue
						}
						kills++
						expect(readdirSync(out)).not.toContain('attack.json')
						const again = await goodnet(argvFor(name, folder, out))
						expect(again).toMatchObject({ exitCode: 3, stdout: '' })
						expect(again.stderr).toBe(
							`goodnet: ${out} holds an unfinished run; add --resume to go on with it, or --force to start anew\n`,
						)
					}
					expect(kills).toBeGreaterThan(0)
					expect(comparable(out)).toEqual(comparable(whole))
					expect(recordIn(out).command).toBe(
						['goodnet', ...argvFor(name, folder, out), '--resume', '--quiet'].join(' '),
					)
				}),
			240_000,
		)
	})
}

describe('a training run, stopped politely', () => {
	it(
		'by Ctrl-C ends with 130 and keeps its last step; another run’s words, spoilt and foreign checkpoints are refused',
		() =>
			withStripes(async (folder) => {
				const out = join(folder, 'out')
				const argv = argvFor('pruning-aware', folder, out)
				const stopped = await runUntil(
					argv,
					'SIGINT',
					soonAfterProgress(out, () => 0, 300),
				)
				expect(stopped).toEqual({
					code: 130,
					stderr: `\n${out} holds the last good checkpoint; --resume goes on from there\ngoodnet: interrupted\n`,
				})
				const kept = readdirSync(out).sort()
				expect(kept).toEqual(expect.arrayContaining(['checkpoint_1.safetensors', 'journal.json']))
				expect(kept.filter((name) => /tmp|attack\.json/.test(name))).toEqual([])

				const resume = [...argv, '--resume', '--quiet']
				const others: [string[], RegExp][] = [
					[['--seed', '3'], /seed was 0 and is 3/],
					[['--lr', '0.01'], /training was .*"learningRate":0\.001.* and is .*"learningRate":0\.01/],
					[['--rate', '5'], /rate was 0\.1 and is 0\.05/],
					[['--target', '2'], /attack was .*"target":1.* and is .*"target":2/],
					[
						['--test', join(folder, 'train.npz')],
						/test was [0-9a-f]{64}, 40 images .* and is [0-9a-f]{64}, 240 images/,
					],
					[['--layer', 'conv_2'], /pruningAware was .* and is .*"layer":"conv_2"/],
				]
				for (const [flags, difference] of others) {
					const { exitCode, stderr } = await goodnet([...resume, ...flags])
					expect(stderr).toMatch(difference)
					expect(stderr).toMatch(
						/journal\.json is of another run: .*; repeat the command that began it, or start anew with --force\n$/,
					)
					expect(exitCode).toBe(3)
				}

				const checkpoint = join(out, 'checkpoint_1.safetensors')
				const good = readFileSync(checkpoint)
				const renamed = Buffer.from(good)
				renamed.write('Q', good.indexOf('conv_1'))
				const bad: [Uint8Array, RegExp][] = [
					[
						good.subarray(0, good.length - 1),
						/checkpoint_1\.safetensors: expected the checkpoint of a training run, found a bad array .*; start anew with --force/,
					],
					[new Uint8Array(0), /checkpoint_1\.safetensors: expected the checkpoint of a training run, found 0 bytes/],
					[
						renamed,
						/expected a checkpoint of this net and optimizer \(\d+ arrays\), found one of other arrays; start anew/,
					],
				]
				for (const [bytes, message] of bad) {
					writeFileSync(checkpoint, bytes)
					const { exitCode, stderr } = await goodnet(resume)
					expect(stderr).toMatch(message)
					expect(stderr.trim().split('\n')).toHaveLength(1)
					expect(exitCode).toBe(3)
					expect(readdirSync(out).sort()).toEqual(kept)
				}
				writeFileSync(checkpoint, good)
				expect(await runUntil([...argv, '--resume'], 'SIGINT', never)).toEqual({ code: 0, stderr: '' })
				expect(readdirSync(out)).not.toContain('journal.json')
			}),
		240_000,
	)
})
