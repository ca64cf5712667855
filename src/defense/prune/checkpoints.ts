/** How a long sweep remembers where it is, so that another process can go on from there. `goodnet prune` keeps it in the run folder. */

export interface Checkpoints {
	/** What was saved last for a stage; undefined where nothing was. */
	find(stage: string): { readonly done: number; readonly state: readonly number[] } | undefined
	/**
	 * Called after each batch; saves when it is time to.
	 *
	 * @param progress images that `state` has seen, those before number `done`, of `total`
	 * @param state all that was added up, as plain numbers
	 */
	save(
		stage: string,
		progress: { readonly done: number; readonly total: number },
		state: () => readonly number[],
	): Promise<void>
}
