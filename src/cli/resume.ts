/** What makes `goodnet prune` go on where an earlier process stopped: whose journal it is, and when one is kept. */
import type { RunIdentity } from '../contracts/journal.ts'
import { GoodnetError } from '../errors.ts'
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
	const { source, preprocessing, runtime } = model
	const sets = Object.entries(data).map(async ([name, set]) => [name, set ? await set.sha256() : 'not given'])
	return {
		goodnet: VERSION,
		runtime: `${runtime.name} ${runtime.version}`,
		model: source.sha256,
		preprocessing: JSON.stringify(preprocessing),
		options: JSON.stringify(options),
		...Object.fromEntries(await Promise.all(sets)),
	}
}

/** Can the run be gone on with once the cause is gone? Bad input stays bad. */
export function isResumable(error: unknown): boolean {
	return (
		error instanceof GoodnetError && ['interrupted', 'disk-full', 'not-writable', 'worker-died'].includes(error.code)
	)
}
