/** `l1`: filters with small weights go first (Li et al. 2017, arXiv:1608.08710, section 3.1). Needs no data. */
import { type Filter, scoreFilters } from './kernel.ts'
import type { Ranking } from './ranking.ts'

/** The L1 norm of each filter's kernel, `Σ |w|`; the bias is no part of it. */
export function l1Norms(filters: readonly Filter[]): number[] {
	return filters.map(({ values }) => values.reduce((sum, weight) => sum + Math.abs(weight), 0))
}

export const l1: Ranking = {
	quantity: 'L1 norm of the filter',
	first: 'lowest',
	isSuspicion: false,
	across: null,
	needs: 'weights',
	score: (model, layer) => scoreFilters(model, layer, 'l1', l1Norms),
}
