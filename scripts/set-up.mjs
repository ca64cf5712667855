/**
 * Makes a fresh clone ready: packages and build, each only where missing or out of date; for `test` on Debian as root also the system
 * packages that tests want. `npm run demo` and `npm test` begin with this,
 * so it must run before anything is installed: plain JavaScript, Node's own modules only.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const MIN_NODE = [20, 19]

/** Debian packages that tests want, and a file of each. Tests skip by name what is absent. */
const TEST_PACKAGES = { 'dataset-fashion-mnist': '/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz' }

checkNode()
if (process.argv[2] === 'test') installTestPackages()
if (isOlder('node_modules/.package-lock.json', ['package-lock.json'])) install()
if (isOlder('dist/.built', ['src', 'tsconfig.json', 'tsconfig.build.json'])) build()

function checkNode() {
	const [major, minor] = process.versions.node.split('.').map(Number)
	if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
	fail(`goodnet needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}`)
}

function installTestPackages() {
	const missing = Object.entries(TEST_PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]))
	if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return
	console.error(`installing ${missing.join(', ')} …`)
	const apt = (...parameters) =>
		spawnSync('apt-get', parameters, {
			stdio: ['ignore', 2, 2],
			env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
		}).status === 0
	const install = () => apt('install', '-y', '--no-install-recommends', ...missing)
	// Without a network the tests still run, all but those that need the packages.
	if (!install() && !(apt('update') && install())) console.error(`could not install ${missing.join(', ')}`)
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
