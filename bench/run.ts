/**
 * Measures the table of speed and memory. Every ratio comes from alternating rounds, since the machine may be shared and no absolute time
 * can stand alone. Prints Markdown; a whole run also writes it to `bench/results.md`, and with all raw values to `bench/results.json`.
 *
 *     npm run bench                          all rows
 *     npm run bench -- --only torch,memory   some; nothing is written
 *     npm run bench -- --only training --keep   some; written, beside what the file has of the others
 *     npm run bench -- --rounds 3
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machineFacts } from './machine.ts'
import { markdown, record } from './report.ts'
import type { Bench, Row } from './row.ts'
import { doubling } from './rows/doubling.ts'
import { faceNet } from './rows/face-net.ts'
import { memory } from './rows/memory.ts'
import { resnet18 } from './rows/resnet18.ts'
import { torch } from './rows/torch.ts'
import { training } from './rows/training.ts'

const BENCHES: readonly Bench[] = [faceNet, resnet18, torch, training, memory, doubling]
const DEFAULT_ROUNDS = '7'
const here = fileURLToPath(new URL('.', import.meta.url))

const { values } = parseArgs({
	options: {
		only: { type: 'string' },
		rounds: { type: 'string', default: DEFAULT_ROUNDS },
		keep: { type: 'boolean', default: false },
	},
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
	throw new Error(`--rounds: expected a number from 1, found ${values.rounds}`)

const rows: Row[] = []
for (const bench of chosen(values.only)) {
	const start = performance.now()
	rows.push(...(await inFolder((folder) => bench.run({ rounds, folder }))))
	console.error(`${bench.name}: ${Math.round((performance.now() - start) / 1000)} s`)
}
const results = { machine: await machineFacts(), rounds, rows: values.keep ? amongStored(rows) : rows }
if (values.only === undefined || values.keep) {
	writeFileSync(join(here, 'results.json'), `${JSON.stringify(record(results), null, '\t')}\n`)
	writeFileSync(join(here, 'results.md'), markdown(results))
}
console.log(markdown(results))

/** The rows of the file with those just measured in their places, new ones behind. */
function amongStored(measured: readonly Row[]): Row[] {
	const stored = JSON.parse(readFileSync(join(here, 'results.json'), 'utf8')) as { readonly rows: readonly Row[] } // our own
	const fresh = new Map(measured.map((row) => [row.what, row]))
	const kept = stored.rows.map((row) => fresh.get(row.what) ?? row)
	return [...kept, ...measured.filter((row) => !stored.rows.some(({ what }) => what === row.what))]
}

function chosen(only: string | undefined): readonly Bench[] {
	if (only === undefined) return BENCHES
	return only.split(',').map((name) => {
		const bench = BENCHES.find((each) => each.name === name)
		if (bench) return bench
		throw new Error(`--only: expected some of ${BENCHES.map((each) => each.name).join(', ')}, found ${name}`)
	})
}

async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'goodnet-bench-'))
	try {
		return await body(folder)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}
