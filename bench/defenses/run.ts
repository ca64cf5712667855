/**
 * Tries every repair on the nets of `nets.ts` and writes docs/results.md. A cell that is in bench/defenses/results/cells/ is not run again.
 *
 *     npm run defenses                                 everything that is not there yet
 *     npm run defenses -- --methods anp,ft-sam         a part: all flags go to `goodnet bench defenses`
 *     npm run defenses -- --jobs 2 --force
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeResultsPage } from '../results-page.ts'
import { checkStamps } from './check-stamps.ts'
import { METHODS } from './methods.ts'
import { FOLDER } from './sets.ts'
import { makeSubjects } from './suite.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const suite = join(FOLDER, 'suite.json')

mkdirSync(FOLDER, { recursive: true })
const subjects = await makeSubjects()
const content = { schema: 'goodnet/defense-suite@1', subjects, methods: METHODS, seeds: [0] }
writeFileSync(suite, `${JSON.stringify(content, null, '\t')}\n`)

const results = join(root, 'bench', 'defenses', 'results')
const command = ['bench', 'defenses', suite, '-o', results, ...process.argv.slice(2)]
const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...command], { stdio: 'inherit' })
const [status] = await once(child, 'close')
if (status === 0) {
	checkStamps(join(results, 'cells'))
	writeResultsPage()
}
process.exitCode = status ?? 1
