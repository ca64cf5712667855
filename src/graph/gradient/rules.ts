/** The table from operator to gradient rule. Each family stands in its own file. */
import { arithmeticRules } from './arithmetic.ts'
import { matrixRules } from './matrix.ts'
import type { GradientRule } from './rule.ts'
import { shapeRules } from './shape.ts'

export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
	Object.entries({ ...arithmeticRules, ...matrixRules, ...shapeRules }),
)
