/** `random`: the control. A ranking that does no better than this one has found nothing. Needs no data. */
import { createRandom } from '../../../random.ts'
import { convolutionPlaces } from '../whole-net-places.ts'
import type { Ranking } from './ranking.ts'

/** One number in [0, 1) a channel, lowest first; the same for the same seed on every machine. */
export function randomScores(channels: number, seed: number): number[] {
	const random = createRandom(seed, 0, 0)
	return Array.from({ length: channels }, () => random.unit())
}

export const random: Ranking = {
	quantity: 'random number',
	first: 'lowest',
	isSuspicion: false,
	across: {
		by: 'score',
		placesIn: convolutionPlaces,
		missing: 'there is no convolution to prune in this net; name a dense layer with --layer',
	},
	needs: 'seed',
}
