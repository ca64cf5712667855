/** Running a session on any number of images, whatever batch its graph insists on. */
import type { Feed, Session, TensorData } from '../runtime/runtime.ts'

/**
 * Runs `session` on `feeds`, all with the same first axis `count`. A graph that fixes its batch is run piece by piece, the last one
 * filled up with its own first images, and the answers are put together.
 *
 * @param fixedBatch the batch that the graph insists on, or null where it takes any
 * @param isGivenAway as for `Session.run`
 */
export async function runBatch(
	session: Session,
	feeds: Readonly<Record<string, Feed>>,
	count: number,
	fixedBatch: number | null,
	isGivenAway = false,
): Promise<Record<string, Feed>> {
	if (fixedBatch === null || fixedBatch === count) return session.run(feeds, isGivenAway)
	const pieces: Record<string, Feed>[] = []
	for (let start = 0; start < count; start += fixedBatch) {
		const piece = mapFeeds(feeds, (feed) =>
			fill(sliceImages(feed, start, Math.min(count, start + fixedBatch)), fixedBatch),
		)
		pieces.push(await session.run(piece))
	}
	return mapFeeds(pieces[0] ?? {}, (_, name) =>
		joinImages(
			pieces.map((piece) => piece[name]!),
			count,
		),
	)
}

/** Images `start` (inclusive) to `end` (exclusive) of an array whose first axis counts images; a view, not a copy. */
function sliceImages(feed: Feed, start: number, end: number): Feed {
	const size = imageSize(feed)
	return { ...feed, dims: [end - start, ...feed.dims.slice(1)], data: feed.data.subarray(start * size, end * size) }
}

/** The images whose numbers are in `picks`, copied out. */
export function pickImages(feed: Feed, picks: readonly number[]): Feed {
	const size = imageSize(feed)
	const data = emptyLike(feed.data, picks.length * size)
	for (const [to, from] of picks.entries()) setAll(data, feed.data.subarray(from * size, (from + 1) * size), to * size)
	return { ...feed, dims: [picks.length, ...feed.dims.slice(1)], data }
}

/** Values per image. */
function imageSize({ dims }: Feed): number {
	return dims.slice(1).reduce((a, b) => a * b, 1)
}

function mapFeeds(
	feeds: Readonly<Record<string, Feed>>,
	change: (feed: Feed, name: string) => Feed,
): Record<string, Feed> {
	return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, change(feed, name)]))
}

function fill(feed: Feed, count: number): Feed {
	const present = feed.dims[0] ?? 0
	return present === count
		? feed
		: pickImages(
				feed,
				[...Array(count).keys()].map((i) => i % present),
			)
}

/** The images of several arrays of one shape, one array behind the other; `count` of them, where the last array may hold more. */
export function joinImages(pieces: readonly Feed[], count: number): Feed {
	const [first] = pieces as [Feed]
	const data = emptyLike(first.data, count * imageSize(first))
	let offset = 0
	for (const { data: piece } of pieces) {
		const rest = data.length - offset
		setAll(data, piece.length > rest ? piece.subarray(0, rest) : piece, offset)
		offset += piece.length
	}
	return { ...first, dims: [count, ...first.dims.slice(1)], data }
}

function emptyLike(data: TensorData, length: number): TensorData {
	const ArrayOf = data.constructor as new (length: number) => TensorData // every typed array has this constructor
	return new ArrayOf(length)
}

function setAll(to: TensorData, from: TensorData, offset: number): void {
	// Both arrays are of one class: `to` was made from it.
	to.set(from as never, offset)
}
