/** A plan that trains in a second or two: drawn stripes, the small net. */
import { makeAttack } from '../../src/attack/make-attack.ts'
import type { AttackOptions } from '../../src/attack/options.ts'
import { DEFAULT_PRUNING_AWARE } from '../../src/lab/pruning-aware.ts'
import { DEFAULT_RECIPE } from '../../src/lab/recipe.ts'
import type { SubjectPlan } from '../../src/lab/subject.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { CLASSES, SIZE, stripes } from '../helpers/pictures.ts'

export const runtime = await nodeRuntime({ threads: 1 })

/** The plan of attack `name`, changed by `over`. */
export function planOf(name: string, options: AttackOptions = {}, over: Partial<SubjectPlan> = {}): SubjectPlan {
	return {
		attack: makeAttack(name, SIZE, CLASSES, options),
		rate: 0.1,
		images: stripes(60, 1),
		test: stripes(15, 2),
		architecture: 'small-cnn',
		recipe: { ...DEFAULT_RECIPE, learningRate: 0.003, epochs: 6, batch: 32 },
		pruningAware: DEFAULT_PRUNING_AWARE,
		seed: 5,
		runtime,
		...over,
	}
}
