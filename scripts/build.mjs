/** Compiles `src/` to `dist/` afresh, writes the JSON Schemas of what goodnet prints, and makes the command executable. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

await writeSchemas()
chmodSync(join(dist, 'cli/main.js'), 0o755)
// `set-up.mjs` compares the age of this file with the sources'.
writeFileSync(join(dist, '.built'), '')

async function writeSchemas() {
	const { z } = await import('zod')
	const load = (path) => import(pathToFileURL(join(dist, path)).href)
	const modules = await Promise.all(
		[
			'prune-run',
			'repair-run',
			'evaluate-run',
			'attack-run',
			'guard-run',
			'defense-cell',
			'defense-suite',
			'cli-results',
		].map((name) => load(`contracts/${name}.js`)),
	)
	const schemas = modules.flatMap(Object.values).flatMap((schema) => {
		const name = schema.shape?.schema?.value
		return name ? [[name.replace('goodnet/', ''), schema]] : []
	})
	mkdirSync(join(dist, 'schemas'))
	for (const [name, schema] of schemas) {
		// A suite is what people write; all others are what goodnet writes.
		const io = name.startsWith('defense-suite') ? 'input' : 'output'
		const text = JSON.stringify(z.toJSONSchema(schema, { io }), null, '\t')
		writeFileSync(join(dist, 'schemas', `${name}.json`), `${text}\n`)
	}
}
