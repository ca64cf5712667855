/** `goodnet doctor`: does everything that goodnet stands on work on this machine? */
import { availableParallelism, totalmem } from 'node:os'
import { OutputOptions } from '../../contracts/cli-options.ts'
import type { DoctorResult } from '../../contracts/cli-results.ts'
import { messageOf } from '../../errors.ts'
import { type Graph, makeNode, type Value } from '../../graph/graph.ts'
import { nodeRuntime } from '../../runtime/node.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { VERSION } from '../../version.ts'
import { defineCommand } from '../command.ts'
import { OUTPUT_FLAGS } from '../inputs.ts'
import { alignColumns } from '../text-table.ts'

/** `advice` says what to do where it is not fine. */
type Check = DoctorResult['checks'][number]

const REINSTALL = 'install goodnet again with npm, optional packages included'

export const doctor = defineCommand<OutputOptions>({
	name: 'doctor',
	summary: 'check what goodnet needs on this machine',
	arguments: [],
	flags: OUTPUT_FLAGS,
	options: OutputOptions,
	example: 'goodnet doctor',
	async run(_, options, io) {
		const native = await checkRuntime('onnxruntime-node', () => nodeRuntime())
		const wasm = await checkRuntime('onnxruntime-web', async () => (await import('../../runtime/web.ts')).webRuntime())
		const checks = [
			...machine(),
			native.isFine ? native : { ...native, advice: 'onnxruntime-web does the same work 2 to 3 times slower' },
			wasm,
			await checkImport('sharp (pictures)', () => import('sharp')),
			await checkImport('h5wasm (HDF5)', () => import('h5wasm/node')),
		]
		const canRun = native.isFine || wasm.isFine
		const result: DoctorResult = { schema: 'goodnet/doctor@1', goodnet: VERSION, checks }
		io.print(options.json ? JSON.stringify(result, null, 2) : text(checks, canRun))
		return canRun && checks.every(({ isFine, name }) => isFine || name === native.name) ? 0 : 6
	},
})

function machine(): Check[] {
	const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
	const isFine = major > 20 || (major === 20 && minor >= 19)
	return [
		{ name: 'node', isFine, found: process.versions.node, advice: 'expected 20.19 or newer' },
		{ name: 'platform', isFine: true, found: `${process.platform} ${process.arch}` },
		{ name: 'cores', isFine: true, found: String(availableParallelism()) },
		{ name: 'memory', isFine: true, found: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
	]
}

/** Loads the runtime and has it compute one Relu. */
async function checkRuntime(name: string, load: () => Promise<Runtime>): Promise<Check> {
	try {
		const runtime = await load()
		const session = await runtime.load(reluGraph)
		const { y } = await session.run({ x: { dims: [2], data: Float32Array.of(-1, 2) } })
		await session.close()
		const isFine = y?.data[0] === 0 && y.data[1] === 2
		return {
			name,
			isFine,
			found: `${runtime.version}, ${runtime.device}, ${runtime.threads} threads`,
			advice: REINSTALL,
		}
	} catch (error) {
		return { name, isFine: false, found: messageOf(error), advice: REINSTALL }
	}
}

async function checkImport(name: string, load: () => Promise<unknown>): Promise<Check> {
	return load().then(
		() => ({ name, isFine: true, found: 'loads' }),
		(error: unknown) => ({ name, isFine: false, found: messageOf(error), advice: REINSTALL }),
	)
}

const vector = (name: string): Value => ({ name, dtype: 'float32', shape: [2] })

const reluGraph: Graph = {
	name: 'doctor',
	nodes: [makeNode('Relu', ['x'], ['y'])],
	inputs: [vector('x')],
	outputs: [vector('y')],
	initializers: new Map(),
	valueInfo: [],
	irVersion: 8,
	opsets: new Map([['', 17]]),
	metadata: new Map(),
	producerName: 'goodnet',
	producerVersion: '',
}

function text(checks: readonly Check[], canRun: boolean): string {
	const rows = checks.map(({ name, isFine, found, advice }) => [
		isFine ? 'ok' : 'NO',
		name,
		isFine ? found : `${found}; ${advice}`,
	])
	const closing = canRun ? 'goodnet can work here.' : 'goodnet cannot run models here.'
	return `goodnet ${VERSION}\n${alignColumns(rows)}\n${closing}`
}
