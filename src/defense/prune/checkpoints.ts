/** How a long run remembers where it is, so that another process can go on from there. `goodnet prune` keeps it in the run folder. */
import { InputError } from '../../errors.ts'

/** Something that adds up over images and can be written down on the way. */
export interface Resumable {
	/** Everything collected so far, as plain numbers. */
	state(): readonly number[]
	/** Takes over what another one of the same kind and size had collected. */
	restore(state: readonly number[]): void
}

export interface Checkpoints {
	/** What was saved last for a stage; undefined where nothing was. */
	find(stage: string): { readonly done: number; readonly state: readonly number[] } | undefined
	/**
	 * Called after each batch; saves when it is time to.
	 *
	 * @param progress images that `state` has seen, those before number `done`, of `total`
	 */
	save(
		stage: string,
		progress: { readonly done: number; readonly total: number },
		state: () => readonly number[],
	): Promise<void>
}

/**
 * Fills `collector` with what an earlier process had collected in this stage.
 *
 * @returns the number of the first image that it has not seen; 0 where nothing was saved
 * @throws InputError `bad-journal` for a state of another size: somebody changed it
 */
export function resumeStage(checkpoints: Checkpoints | undefined, stage: string, collector: Resumable): number {
	const found = checkpoints?.find(stage)
	if (!found) return 0
	const expected = collector.state().length
	if (found.state.length !== expected) {
		const message = `the journal's stage "${stage}" holds ${found.state.length} numbers; expected ${expected}; start anew with --force`
		throw new InputError('bad-journal', message)
	}
	collector.restore(found.state)
	return found.done
}
