/** Neural attention distillation: a fine-tuned net teaches the backdoored one where to look. */
import { attentionDistillation } from '../attention.ts'
import { defineMethod, NO_FINDINGS } from '../method.ts'
import { TUNING_PARAMETERS, TUNING_STAGES, tune } from '../tuning.ts'

export const nad = defineMethod({
	name: 'nad',
	summary: 'the net learns to look where a fine-tuned copy of it looks (Li et al. 2021, arXiv:2101.05930)',
	needs: ['tuning', 'valid'],
	parameters: {
		...TUNING_PARAMETERS,
		// The authors' 500 to 1000 are for wide residual nets; one without normalization then bears only rates that move nothing (decision 022).
		beta: { meaning: 'β, weight of the attention distance', default: 100, low: 0, high: 1e9 },
	},
	async repair(model, data, context) {
		const teacher = await tune(model, data, context, { stage: 1, name: 'tune the teacher' })
		const problem = attentionDistillation(teacher.model, context.parameters.beta)
		const student = await tune(model, data, context, { stage: 1 + TUNING_STAGES, name: 'teach', problem })
		return {
			points: [{ name: '', chosenBy: student.chosenBy, model: student.model }],
			findings: { ...NO_FINDINGS, history: [...student.history], candidates: student.candidates },
		}
	},
})
