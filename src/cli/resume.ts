/** What makes `goodnet prune` go on where an earlier process stopped: whose journal it is, and when one is kept. */
import { basename } from 'node:path'
import type { RunIdentity } from '../contracts/journal.ts'
import type { ImageSet } from '../data/image-set.ts'
import { FormatError, InputError, UnsupportedError, UsageError } from '../errors.ts'
import { sha256Of } from '../files.ts'
import type { Model } from '../model/model.ts'
import { openJournal, type RunJournal, removeHalfWritten } from '../report/journal.ts'
import { VERSION } from '../version.ts'
import type { Io } from './command.ts'
import type { SweepJob } from './prune-job.ts'

/**
 * The journal of a sweep into `folder`, empty or as an earlier process left it.
 *
 * @throws InputError `other-run` where `isResumed` and the journal there is another run's, `bad-journal`
 */
export async function openRunJournal(folder: string, job: SweepJob, isResumed: boolean, io: Io): Promise<RunJournal> {
	await removeHalfWritten(folder)
	const { commandLine: command, now } = io
	return openJournal(folder, { command, identity: () => identityOf(job), isResumed, now })
}

/** All that decides what the run's counts are; where the files lie does not. */
async function identityOf({ model, data, options }: SweepJob): Promise<RunIdentity> {
	return { ...modelIdentity(model), options: JSON.stringify(options), ...(await setIdentities({ ...data })) }
}

/** What runs, and what it is run on. */
export function modelIdentity({ source, graph, preprocessing, runtime }: Model): RunIdentity {
	return {
		goodnet: VERSION,
		runtime: `${runtime.name} ${runtime.version}`,
		model: source.sha256,
		// Weights alone are given their architecture by another file.
		graph: sha256Of(JSON.stringify(graph.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs]))),
		preprocessing: JSON.stringify(preprocessing),
	}
}

/** Sets by their name in the run. */
export async function setIdentities(sets: Readonly<Record<string, ImageSet | undefined>>): Promise<RunIdentity> {
	const each = Object.entries(sets).map(async ([name, set]) => [name, set ? await setIdentity(set) : 'not given'])
	return Object.fromEntries(await Promise.all(each))
}

/** The file may hold several sets, and be read in several ways: the name has the part behind the colon. */
async function setIdentity(set: ImageSet): Promise<string> {
	const { path, count, height, width, channels, layout, labels } = set
	const labelled = labels && sha256Of(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength))
	return [basename(path), await set.sha256(), count, height, width, channels, layout, labelled].join(' ')
}

/** Will the run fail again, however often it is tried? Only what is wrong with the input stays wrong. */
export function isPermanent(error: unknown): boolean {
	const isAboutInput = error instanceof FormatError || error instanceof UnsupportedError || error instanceof UsageError
	return isAboutInput || (error instanceof InputError && error.code === 'not-finite')
}
