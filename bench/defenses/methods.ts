/** The repairs that are tried, all with their defaults; several seeds for the one that `goodnet repair` does by itself. */
import { DEFAULT_METHOD, REPAIR_METHODS } from '../../src/defense/repair/methods/index.ts'

/** Of the default. */
const SEEDS = [0, 1, 2]

export const METHODS = [...REPAIR_METHODS.keys()].map((method) =>
	method === DEFAULT_METHOD ? { method, seeds: SEEDS } : { method },
)
