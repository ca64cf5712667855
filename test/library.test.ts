/** The package as its users meet it: exported names, the example, the manifest. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import * as core from '../src/index.ts'
import * as node from '../src/node.ts'
import { inTemporaryFolder } from './helpers/cli.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

describe('the library', () => {
	it('exports these names and no others: growth is deliberate', () => {
		expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
			[
			  "ARCHITECTURES",
			  "AttackName",
			  "AttackRun",
			  "DEFAULT_METHOD",
			  "DEFAULT_PRUNING_AWARE",
			  "DEFAULT_RECIPE",
			  "EpochRecord",
			  "EvaluateRun",
			  "FormatError",
			  "GoodNet",
			  "GoodnetError",
			  "GuardKind",
			  "GuardRun",
			  "InputError",
			  "InterruptedError",
			  "MachineError",
			  "NO_AUGMENTATION",
			  "PruneRun",
			  "RAW",
			  "REPAIR_METHODS",
			  "RankName",
			  "RepairMethodName",
			  "RepairRun",
			  "StampResult",
			  "UnsupportedError",
			  "UsageError",
			  "adam",
			  "auroc",
			  "chooseLayer",
			  "closingTable",
			  "compactModel",
			  "compactRepaired",
			  "countPoisoned",
			  "createModel",
			  "decodeCheckpoint",
			  "decodeOnnx",
			  "der",
			  "disagreement",
			  "drawTrigger",
			  "dropReached",
			  "encodeCheckpoint",
			  "encodeOnnx",
			  "evaluateClean",
			  "evaluateGuard",
			  "evaluatePoisoned",
			  "findSuspects",
			  "flipDepth",
			  "gradient",
			  "guardAnswers",
			  "guardNet",
			  "holdOut",
			  "inferShapes",
			  "invertTrigger",
			  "logitBound",
			  "makeAttack",
			  "mcnemar",
			  "memoryImages",
			  "methodNamed",
			  "normalizationBehind",
			  "openInverter",
			  "openModel",
			  "plainGoodNet",
			  "poisonTest",
			  "poisonTraining",
			  "predict",
			  "predictLabels",
			  "prunableLayers",
			  "prune",
			  "pruneAcross",
			  "pruneBlindly",
			  "pruneChannels",
			  "pruneUnits",
			  "quarantine",
			  "quorum",
			  "rankLayer",
			  "readCleanData",
			  "readImages",
			  "repairModel",
			  "reportHtml",
			  "scheduleOf",
			  "sgd",
			  "stampTrigger",
			  "train",
			  "trainSubject",
			  "verdict",
			  "webRuntime",
			  "wilson",
			  "withWeights",
			]
		`)
		const added = Object.keys(node).filter((name) => !(name in core))
		expect(added.sort()).toMatchInlineSnapshot(`
			[
			  "bestRuntime",
			  "demoImages",
			  "demoNetPath",
			  "loadImages",
			  "loadModel",
			  "nodeRuntime",
			  "openScratch",
			  "repairRecord",
			  "saveModel",
			  "sweepRecord",
			  "writeRepairFolder",
			  "writeRunFolder",
			]
		`)
	})

	it('does in ten lines what the README shows', () =>
		inTemporaryFolder(async (folder) => {
			const { status, stdout, stderr } = spawnSync(
				process.execPath,
				[join(root, 'examples/prune-and-guard.mjs'), folder],
				{
					encoding: 'utf8',
				},
			)
			expect(stderr).toBe('')
			expect(status).toBe(0)
			expect(stdout).toMatch(/^\d+ of \d+ triggered faces rejected\n$/)
			expect(existsSync(join(folder, 'repaired_10.h5'))).toBe(true)
			expect(existsSync(join(folder, 'goodnet_10.onnx'))).toBe(true)
		}))

	it('repairs a net in twenty lines, as docs/repair.md says', () =>
		inTemporaryFolder(async (folder) => {
			const script = join(root, 'examples/repair.mjs')
			const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, '1'], { encoding: 'utf8' })
			expect(stderr).toBe('')
			expect(status).toBe(0)
			expect(stdout).toMatch(
				/^after 1 epochs at learning rate 0\.00001: clean \d+ → \d+ of 1280\ntriggered: \d+ → \d+ of 1270 answer the target\nthe GoodNet rejects \d+ of them\n$/,
			)
			expect(existsSync(join(folder, 'repaired.h5'))).toBe(true)
			expect(existsSync(join(folder, 'goodnet.onnx'))).toBe(true)
		}))

	it('trains a backdoored net in twenty lines, as docs/attack-lab.md says', () =>
		inTemporaryFolder(async (folder) => {
			const script = join(root, 'examples/attack-lab.mjs')
			const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, '2'], { encoding: 'utf8' })
			expect(stderr).toBe('')
			expect(status).toBe(0)
			expect(stdout).toMatch(/^clean: \d+ of 1280; triggered and answered 7: \d+ of 1270\n$/)
			expect(existsSync(join(folder, 'bd_net.h5'))).toBe(true)
			expect(existsSync(join(folder, 'bd_net.onnx'))).toBe(true)
		}))

	it('stops with InterruptedError when its signal is aborted', async () => {
		const badnet = await node.loadModel(node.demoNetPath)
		const abort = new AbortController()
		const stages: string[] = []
		const onProgress = (stage: string) => {
			stages.push(stage)
			if (stage === 'valid') abort.abort()
		}
		const run = core.prune(badnet, node.demoImages('valid'), { signal: abort.signal, onProgress })
		await expect(run).rejects.toBeInstanceOf(core.InterruptedError)
		expect(stages.filter((stage) => stage === 'valid')).toHaveLength(1)
	})
})

describe('the package', () => {
	it('names every dependency in docs/decisions/002-dependencies.md', () => {
		const text = readFileSync(join(root, 'docs/decisions/002-dependencies.md'), 'utf8')
		const { dependencies, optionalDependencies, devDependencies } = manifest
		for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
			expect(text, name).toContain(`\`${name}\``)
		}
	})

	it('pins versions exactly, so that everybody runs what was measured', () => {
		for (const version of Object.values<string>({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
			expect(version).toMatch(/^\d+\.\d+\.\d+(-\d+)?$/)
		}
	})
})
