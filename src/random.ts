/**
 * A seeded stream of random numbers that gives the same values on every machine: 32-bit integer steps only. The generator is `sfc32` of
 * PractRand (Chris Doty-Humphrey, public domain), counter included, so that no seed falls into a short cycle.
 */

/** A stream of random numbers. Every call advances it by one step. */
export interface Random {
	/** Uniform in [0, 1), a multiple of 2⁻³². */
	unit(): number
	/** Uniform in [`low`, `high`). */
	between(low: number, high: number): number
	/** An integer, 0 to `limit` − 1. */
	below(limit: number): number
	/** One of `items`, which must not be empty. */
	pick<T>(items: readonly T[]): T
}

/** `items` in random order, a new array; every order equally likely (Fisher–Yates). With `wanted`, only the first so many of them. */
export function shuffled(items: Iterable<number>, random: Random, wanted?: number): number[] {
	const order = [...items]
	const count = wanted ?? order.length
	for (let i = 0; i < Math.min(count, order.length - 1); i++) {
		const other = i + random.below(order.length - i)
		// Both are within the array.
		;[order[i], order[other]] = [order[other]!, order[i]!]
	}
	return order.slice(0, count)
}

/** Steps thrown away after seeding, until neighbouring seeds have nothing in common; PractRand's own figure for `sfc32` is 12. */
const WARM_UP_STEPS = 15

/** A stream named by three integers. Streams with different names are independent for all that a picture can tell. */
export function createRandom(a: number, b: number, c: number): Random {
	let [x, y, z, counter] = [a | 0, b | 0, c | 0, 1]

	function step(): number {
		const sum = (((x + y) | 0) + counter) | 0
		counter = (counter + 1) | 0
		x = y ^ (y >>> 9)
		y = (z + (z << 3)) | 0
		z = (((z << 21) | (z >>> 11)) + sum) | 0
		return sum >>> 0
	}

	for (let i = 0; i < WARM_UP_STEPS; i++) step()

	const unit = () => step() / 0x1_0000_0000
	const below = (limit: number) => Math.floor(unit() * limit)
	return {
		unit,
		below,
		between: (low, high) => low + (high - low) * unit(),
		// `below` stays under the length, so the element exists.
		pick: (items) => items[below(items.length)]!,
	}
}
