/**
 * Makes a fresh clone ready: packages and build, each only where missing or out of date. `npm run demo` and `npm test` begin with this,
 * so it must run before anything is installed: plain JavaScript, Node's own modules only.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const MIN_NODE = [20, 19]

checkNode()
if (isOlder('node_modules/.package-lock.json', ['package-lock.json'])) install()
if (isOlder('dist/.built', ['src', 'tsconfig.json', 'tsconfig.build.json'])) build()

function checkNode() {
	const [major, minor] = process.versions.node.split('.').map(Number)
	if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
	fail(`goodnet needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}`)
}

function install() {
	console.error('installing packages …')
	// onnxruntime-node's install script wants to download GPU libraries; the CPU library is in the package already.
	const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
	// Not `npm ci`: it wants every platform's optional package in the lock file, and not every registry has them all.
	run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], env)
}

function build() {
	console.error('building …')
	run(process.execPath, ['scripts/build.mjs'])
}

function run(command, parameters, env = process.env) {
	const { status, error } = spawnSync(command, parameters, {
		cwd: root,
		env,
		stdio: ['ignore', 2, 2],
		shell: command === 'npm' && process.platform === 'win32',
	})
	if (error || status !== 0) fail(`${command} ${parameters.join(' ')} failed${error ? `: ${error.message}` : ''}`)
}

function fail(message) {
	console.error(message)
	process.exit(1)
}

/** Is `product` missing, or older than any of `sources`? */
function isOlder(product, sources) {
	const path = join(root, product)
	if (!existsSync(path)) return true
	const made = statSync(path).mtimeMs
	return sources.some((source) => newest(join(root, source)) > made)
}

function newest(path) {
	const info = statSync(path)
	if (!info.isDirectory()) return info.mtimeMs
	return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}
