/** What `goodnet guard` does between options and files: each guard given its threshold, measured and written, and the record of it all. */
import { join } from 'node:path'
import type { GuardResult, GuardRun } from '../contracts/guard-run.ts'
import type { ImageSet } from '../data/image-set.ts'
import { cleanAccuracy, evaluatePoisoned } from '../defense/evaluate.ts'
import { evaluateGuard } from '../defense/guard/evaluate.ts'
import type { Guard } from '../defense/guard/guard.ts'
import { type GuardedNet, guardNet } from '../defense/guard/guard-net.ts'
import { checkPoisoned } from '../defense/labels.ts'
import { copyPreprocessing, dataRecord, modelRecord, poisonedRecord } from '../defense/prune/record.ts'
import { sha256Of, writeFileWhole } from '../files.ts'
import { environmentRecord } from '../model/environment.ts'
import type { Model } from '../model/model.ts'
import type { RunOptions } from '../model/predict.ts'
import { onnxFile } from '../model/write-back.ts'
import { fillOutputFolder } from '../report/output-folder.ts'
import type { Clock } from './clock.ts'
import type { MadeGuards } from './guard-makers.ts'

export interface GuardSetsOfRun {
	readonly valid: ImageSet
	readonly test?: ImageSet | undefined
	readonly poisoned?: ImageSet | undefined
}

export interface GuardJob extends MadeGuards {
	readonly model: Model
	readonly repaired: readonly Model[]
	readonly sets: GuardSetsOfRun
	readonly target: number | undefined
	/** Points. */
	readonly falseRejectionRate: number
}

export interface GuardFolderOptions {
	readonly force: boolean
	readonly signal: AbortSignal
	/** How to report images of a stage. */
	readonly stage: (name: string) => RunOptions
}

/** Writes each guard and `guard.json`, or where the run is stopped or fails, nothing. @returns what `guard.json` holds */
export async function writeGuardFolder(
	folder: string,
	job: GuardJob,
	clock: Clock,
	{ force, signal, stage }: GuardFolderOptions,
): Promise<GuardRun> {
	let run: GuardRun | undefined
	const fill = async (staging: string) => {
		const badnet = await measureBadnet(job, stage('net without guard'))
		const guards: GuardResult[] = []
		const sha256: Record<string, string> = {}
		for (const guard of job.guards) {
			const guarded = await guardNet(job.model, guard, job.sets.valid, {
				...stage(`${guard.kind}: threshold`),
				falseRejectionRate: job.falseRejectionRate,
				repairedSha256: hashesOf(guard, job),
				classNames: job.sets.valid.classNames,
			})
			const result = await measureGuard(guarded, job, stage(`${guard.kind}: measure`))
			const bytes = onnxFile(guarded)
			await writeFileWhole(join(staging, result.file), bytes)
			sha256[result.file] = sha256Of(bytes)
			guards.push(result)
		}
		clock.lap('guards')
		run = { ...(await recordOf(job, clock)), badnet, guards, sha256 }
		return { name: 'guard.json', content: `${JSON.stringify(run, null, '\t')}\n` }
	}
	await fillOutputFolder(folder, fill, { force, signal })
	return run! // `fill` ran
}

/** Of nets that came from files; those that a guard made itself are told by its parameters. */
function hashesOf({ nets }: Guard, { repaired }: GuardJob): string | undefined {
	const given = nets.flatMap((net) => repaired.filter((each) => each === net))
	return given.length > 0 ? given.map(({ source }) => source.sha256).join(',') : undefined
}

async function measureGuard(guarded: GuardedNet, { sets, target }: GuardJob, run: RunOptions): Promise<GuardResult> {
	const { valid, test, poisoned } = sets
	const file = `guard_${guarded.guard.kind}.onnx`
	const measured = await evaluateGuard(guarded, { clean: test ?? valid, poisoned, target }, run)
	return {
		...guarded.guard,
		file,
		test: test ? measured.clean : null,
		poisoned: measured.poisoned,
		auroc: measured.auroc && { ...measured.auroc, clean: test ? 'test' : 'valid' },
	}
}

async function measureBadnet({ model, sets, target }: GuardJob, run: RunOptions): Promise<GuardRun['badnet']> {
	const { test, poisoned } = sets
	return {
		test: test ? await cleanCount(model, test, run) : null,
		poisoned: poisoned ? await poisonedCount(model, poisoned, { ...run, target }) : null,
	}
}

/** Without labels, what is correct is what B answers. */
async function cleanCount(model: Model, test: ImageSet, run: RunOptions) {
	if (!test.labels) return { correct: test.count, total: test.count }
	return cleanAccuracy(model, test, run)
}

async function poisonedCount(model: Model, poisoned: ImageSet, options: RunOptions & { target: number | undefined }) {
	const { hits, recovered, total } = await evaluatePoisoned(model, poisoned, options)
	return { hits, recovered, total }
}

async function recordOf(
	{ model, repaired, sets, target, falseRejectionRate, notMade }: GuardJob,
	clock: Clock,
): Promise<Omit<GuardRun, 'badnet' | 'guards' | 'sha256'>> {
	const { valid, test, poisoned } = sets
	const { classes, runtime } = model
	const { command, goodnetVersion, seconds } = clock.facts()
	return {
		schema: 'goodnet/guard@1',
		command,
		model: modelRecord(model),
		repaired: repaired.map((net) => ({ path: net.source.path, sha256: net.source.sha256 })),
		preprocessing: copyPreprocessing(model),
		data: {
			valid: await dataRecord(valid),
			test: test ? await dataRecord(test) : null,
			poisoned: poisoned ? await poisonedRecord(poisoned, checkPoisoned(poisoned, classes, target)) : null,
		},
		falseRejectionRate,
		notMade,
		environment: environmentRecord(runtime, goodnetVersion),
		seconds,
	}
}
