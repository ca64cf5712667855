/** Fine-tuning: the net goes on learning, from clean images only, until it has forgotten what only the trigger needs. */
import { defineMethod, NO_FINDINGS } from '../method.ts'
import { TUNING_PARAMETERS, tune } from '../tuning.ts'

export const fineTuning = defineMethod({
	name: 'fine-tuning',
	summary: 'all weights learn on from clean images (the baseline of Liu et al. 2018, arXiv:1805.12185)',
	needs: ['tuning', 'valid'],
	parameters: TUNING_PARAMETERS,
	async repair(model, data, context) {
		const { model: tuned, history, chosenBy, candidates } = await tune(model, data, context, { stage: 1 })
		return {
			points: [{ name: '', chosenBy, model: tuned }],
			findings: { ...NO_FINDINGS, history: [...history], candidates },
		}
	},
})
