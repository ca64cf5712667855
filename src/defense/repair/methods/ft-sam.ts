/** FT-SAM: fine-tuning with sharpness-aware minimisation, which shrinks the large weights that a backdoor needs. */
import { defineMethod, NO_FINDINGS } from '../method.ts'
import { sharpnessAware } from '../sharpness-aware.ts'
import { TUNING_PARAMETERS, tune } from '../tuning.ts'

export const ftSam = defineMethod({
	name: 'ft-sam',
	summary: 'fine-tuning towards flat minima, where a backdoor does not survive (Zhu et al. 2023, arXiv:2304.11823)',
	needs: ['tuning', 'valid'],
	parameters: {
		...TUNING_PARAMETERS,
		// The authors' 2 is for residual nets with normalization; one without forgets its task at any rate that moves the backdoor (decision 022).
		rho: { meaning: 'ρ, how far the gradient is taken from the weights', default: 0.1, low: 0, high: 1000 },
	},
	async repair(model, data, context) {
		const options = { stage: 1, problem: sharpnessAware(context.parameters.rho) }
		const { model: tuned, history, chosenBy, candidates } = await tune(model, data, context, options)
		return {
			points: [{ name: '', chosenBy, model: tuned }],
			findings: { ...NO_FINDINGS, history: [...history], candidates },
		}
	},
})
