/** A set of the lab's size is streamed: 716 MB of float64 in less than 300 MB of memory. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { inTemporaryFolder } from '../helpers/cli.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Processes of their own: vitest's own memory must not count, and writing takes more than reading. */
function run(code: string): string {
	const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
		cwd: root,
		encoding: 'utf8',
	})
	expect(status, stderr).toBe(0)
	return stdout
}

it(
	'reads a 716 MB float64 set whole, and hashes it, in less than 300 MB',
	() =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'valid.h5')
			run(`
			import h5wasm from 'h5wasm/node'
			await h5wasm.ready
			const file = new h5wasm.File(${JSON.stringify(path)}, 'w')
			const data = new Float64Array(11547 * 3 * 55 * 47).map((_, i) => i % 256)
			file.create_dataset({ name: 'data', data, shape: [11547, 3, 55, 47] })
			file.create_dataset({ name: 'label', data: new Float64Array(11547), shape: [11547] })
			file.close()
		`)
			expect(statSync(path).size).toBeGreaterThan(716_000_000)
			const output = run(`
			import { loadImages } from './dist/node.js'
			const images = await loadImages(${JSON.stringify(path)})
			let sum = 0
			for await (const { pixels } of images.batches(64)) for (const value of pixels) sum += value
			await images.sha256()
			console.log(JSON.stringify({ sum, count: images.count, kilobytes: process.resourceUsage().maxRSS }))
		`)
			const { sum, count, kilobytes } = JSON.parse(output)
			expect(count).toBe(11547)
			expect(sum).toBe(expectedSum(11547 * 3 * 55 * 47))
			expect(kilobytes / 1024).toBeLessThan(300)
		}),
	120_000,
)

/** `Σ (i mod 256)` over i < n. */
function expectedSum(n: number): number {
	const rest = n % 256
	return ((n - rest) / 256) * (255 * 128) + (rest * (rest - 1)) / 2
}
