/** The command as a process of its own: Ctrl-C, a full disk, the run folder, JSON alone on stdout. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PruneRun } from '../../src/contracts/prune-run.ts'
import { demoNetPath } from '../../src/demo/demo.ts'
import { sha256Of } from '../../src/files.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function goodnet(...argv: string[]) {
	return spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8' })
}

describe('the goodnet command', () => {
	it('demo: writes a complete run folder whose record, hashes and files agree, and prints the table and a verdict', () =>
		inTemporaryFolder(async (folder) => {
			const output = join(folder, 'demo')
			const { status, stdout, stderr } = goodnet('demo', '-o', output)
			expect(status, stderr).toBe(0)
			expect(stdout).toMatch(/GoodNet/)
			const run = PruneRun.parse(JSON.parse(readFileSync(join(output, 'run.json'), 'utf8')))
			expect(readdirSync(output)).toEqual(expect.arrayContaining(['curve.csv', 'report.html', 'run.json']))
			expect(run.repaired.length).toBeGreaterThan(0)
			for (const { files, sha256 } of run.repaired) {
				for (const name of Object.values(files!))
					expect(sha256Of(readFileSync(join(output, name!)))).toBe(sha256[name!])
			}
			const [{ valid, poisoned }] = run.steps as [(typeof run.steps)[0]]
			expect(valid!.correct / valid!.total).toBeGreaterThanOrEqual(0.97)
			expect(poisoned!.hits / poisoned!.total).toBeGreaterThanOrEqual(0.99)
			expect(run.meanActivation!.filter((mean) => mean === 0).length).toBeGreaterThanOrEqual(10)
			expect(run.seconds.total).toBeLessThan(60)
		}))

	it('--json prints the record alone on stdout, the same as run.json', () =>
		inTemporaryFolder(async (folder) => {
			const output = join(folder, 'run')
			const { stdout } = goodnet('prune', demoNetPath, '--channels', '0,3,5', '-o', output, '--json')
			expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(output, 'run.json'), 'utf8')))
			expect(JSON.parse(stdout).repaired[0].channels).toEqual([0, 3, 5])
		}))

	it('Ctrl-C in mid-sweep ends with 130 and leaves no file', () =>
		inTemporaryFolder(async (folder) => {
			const child = spawn(process.execPath, [main, 'demo', '-o', join(folder, 'run')], {
				stdio: ['ignore', 'pipe', 'pipe'],
			})
			let stderr = ''
			child.stderr.on('data', (chunk: Buffer) => {
				stderr += chunk
				// The ranking is done and the sweep has begun.
				if (stderr.includes('rank channels')) child.kill('SIGINT')
			})
			const code = await new Promise((resolve) => child.on('exit', resolve))
			expect(code).toBe(130)
			expect(stderr).toMatch(/goodnet: interrupted/)
			expect(readdirSync(folder)).toEqual([])
		}))

	it('a full disk ends with 3, says so, and leaves no file', (context) =>
		inTemporaryFolder(async (folder) => {
			const disk = join(folder, 'disk')
			mkdirSync(disk)
			if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0) {
				context.skip('this user may not mount a tmpfs')
			}
			try {
				const { status, stderr } = goodnet('prune', demoNetPath, '--channels', '1', '-o', join(disk, 'run'))
				expect(stderr).toMatch(/the disk is full/)
				expect(status).toBe(3)
				expect(readdirSync(disk)).toEqual([])
			} finally {
				spawnSync('umount', [disk])
				rmSync(disk, { recursive: true, force: true })
			}
		}))

	it('doctor says that this machine is fit', () => {
		const { status, stdout } = goodnet('doctor', '--json')
		expect(status).toBe(0)
		expect(JSON.parse(stdout).checks.every(({ isFine }: { isFine: boolean }) => isFine)).toBe(true)
	})

	it('prints help and version on stdout with exit code 0', () => {
		expect(goodnet('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
		expect(goodnet('prune', '--help').stdout).toMatch(/--valid <path>/)
		expect(goodnet().stdout).toMatch(/Usage: goodnet/)
	})

	it('is built', () => expect(existsSync(main)).toBe(true))
})
