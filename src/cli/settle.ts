/** How a run that trains ends early. */
import { GoodnetError } from '../errors.ts'
import type { TrainingJournal } from '../report/training-journal.ts'
import type { Io } from './command.ts'
import { isPermanent } from './resume.ts'

/** Sees to what stays of a run that ended with `error`, and says what can be done with it. */
export async function settle(error: unknown, journal: TrainingJournal, folder: string, io: Io): Promise<void> {
	const code = error instanceof GoodnetError ? error.code : null
	// Those of other stages may be sound: it is for the user to throw them away.
	if (code === 'bad-checkpoint') return
	if (isPermanent(error)) await journal.remove()
	else if (journal.isWritten()) {
		// The same steps would lead to the same end.
		const way = code === 'diverged' ? '--force starts anew, with other settings' : '--resume goes on from there'
		io.stderr.write(`\n${folder} holds the last good checkpoint; ${way}\n`)
	}
}
