/** Runs linter, types and tests, and closes with the one line that continuous integration reads: `N passed, N failed, N skipped`. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'goodnet-test-'))
const results = join(folder, 'results.json')

const checks = [
	['linter', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--max-diagnostics=5']],
	['types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']],
]
const failedChecks = checks.filter(([name, script, parameters]) => {
	const isFine = run(script, parameters) === 0
	console.log(`${name}: ${isFine ? 'fine' : 'FAILED'}`)
	return !isFine
}).length

const status = run('node_modules/vitest/vitest.mjs', [
	'run',
	'--reporter=default',
	'--reporter=json',
	`--outputFile.json=${results}`,
])
const { passed, failed, skipped } = count()
if (failedChecks > 0) console.log('a check before the tests failed; see the top of this output')
console.log(`${passed + checks.length - failedChecks} passed, ${failed + failedChecks} failed, ${skipped} skipped`)
process.exitCode = failed + failedChecks > 0 || status !== 0 ? 1 : 0

function run(script, parameters) {
	return spawnSync(process.execPath, [join(root, script), ...parameters], { cwd: root, stdio: 'inherit' }).status
}

/** A test file that cannot even be loaded counts as one failure. */
function count() {
	try {
		const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
			readFileSync(results, 'utf8'),
		)
		const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
		return { passed: numPassedTests, failed: numFailedTests + unloaded, skipped: numPendingTests + numTodoTests }
	} catch {
		return { passed: 0, failed: 1, skipped: 0 }
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}
