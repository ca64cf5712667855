/** Fine-pruning: channels that are idle on clean images are pruned, then the rest learns on; what either leaves of a backdoor, the other takes. */
import { layersToPrune, pruneIdle } from '../idle-channels.ts'
import { defineMethod, NO_FINDINGS } from '../method.ts'
import { TUNING_PARAMETERS, tune } from '../tuning.ts'

export const finePruning = defineMethod({
	name: 'fine-pruning',
	summary: 'idle channels are pruned, then the rest learns on (Liu et al. 2018, arXiv:1805.12185, section IV)',
	needs: ['tuning', 'valid'],
	parameters: {
		...TUNING_PARAMETERS,
		layers: {
			meaning: 'prune the last layer of convolutions, or all of them, the last one first',
			default: 'last',
			choices: ['last', 'all'],
		},
		'prune-drop': {
			meaning: 'points of clean validation accuracy; channels are pruned while less than this is lost',
			default: 10,
			low: 0.01,
			high: 100,
		},
	},
	async repair(model, data, context) {
		const { parameters, signal, onProgress } = context
		const { masks, pruning, measured, ...pruned } = await pruneIdle(
			model,
			layersToPrune(model, parameters.layers),
			data.valid!,
			{
				drop: parameters['prune-drop'],
				signal,
				onProgress: (done, total) => onProgress?.('prune', done, total),
			},
		)
		const tuned = await tune(pruned.model, data, context, { stage: 1, masks, reference: model })
		const count = pruning.reduce((sum, { channels }) => sum + channels.length, 0)
		return {
			points: [
				{
					name: '',
					chosenBy: `${count} idle channels pruned, then ${tuned.chosenBy}`,
					model: { ...tuned.model, pruning },
				},
			],
			findings: {
				...NO_FINDINGS,
				history: [...tuned.history],
				candidates: { quantity: 'channels pruned', nets: [...measured] },
			},
		}
	},
})
