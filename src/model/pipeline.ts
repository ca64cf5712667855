/** Work on a stream with several items under way at once, and results in the stream's own order. */

/**
 * Applies `work` to `items`, up to `lanes` of them at the same time, and yields the results in order. The next item is asked for only
 * when a lane is free, so a slow reader holds up a fast source. When the reader stops or a piece of work fails, what is under way ends
 * before the generator does, so that what it uses (a session) can be closed.
 */
export async function* mapAhead<Item, Result>(
	items: AsyncIterable<Item> | Iterable<Item>,
	lanes: number,
	work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
	const underWay: Promise<Result>[] = []
	try {
		for await (const item of items) {
			const result = work(item)
			// Heard when its turn comes; until then Node must not take the failure for one that nobody handles.
			result.catch(() => {})
			underWay.push(result)
			if (underWay.length >= lanes) yield await underWay.shift()!
		}
		while (underWay.length > 0) yield await underWay.shift()!
	} finally {
		await Promise.allSettled(underWay)
	}
}
