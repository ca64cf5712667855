/** Alternating rounds: what is compared runs in turn, so that both halves of a ratio see the same weather. */

/** Something to be timed. It may time itself, where not all that it does counts, and return the seconds. */
export type Job = () => unknown

/** Seconds of each job, by name, one number a round. */
export type Seconds<Name extends string> = Readonly<Record<Name, readonly number[]>>

/** Runs every job once a round, in the opposite order every other round, after one round that does not count. */
export async function alternate<Name extends string>(
	jobs: Readonly<Record<Name, Job>>,
	rounds: number,
): Promise<Seconds<Name>> {
	const names = Object.keys(jobs) as Name[]
	const seconds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
	for (let round = -1; round < rounds; round++) {
		for (const name of round % 2 === 0 ? names : names.toReversed()) {
			const taken = await secondsOf(jobs[name])
			if (round >= 0) seconds[name].push(taken)
		}
	}
	return seconds
}

/** Each round's own ratio. */
export function ratios<Name extends string>(seconds: Seconds<Name>, above: Name, below: Name): number[] {
	return seconds[above].map((value, round) => value / seconds[below][round]!)
}

async function secondsOf(job: Job): Promise<number> {
	const start = performance.now()
	const own = await job()
	return typeof own === 'number' ? own : (performance.now() - start) / 1000
}
