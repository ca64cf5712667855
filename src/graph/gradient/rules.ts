/** The table from operator to gradient rule. Each family stands in its own file. */
import { arithmeticRules } from './arithmetic.ts'
import { convolutionRules } from './convolution.ts'
import { gridSampleRules } from './grid-sample.ts'
import { matrixRules } from './matrix.ts'
import { normalizationRules } from './normalization.ts'
import { paddingRules } from './padding.ts'
import { poolingRules } from './pooling.ts'
import { resizeRules } from './resize.ts'
import type { GradientRule } from './rule.ts'
import { shapeRules } from './shape.ts'

export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
	Object.entries({
		...arithmeticRules,
		...matrixRules,
		...shapeRules,
		...convolutionRules,
		...poolingRules,
		...normalizationRules,
		...paddingRules,
		...resizeRules,
		...gridSampleRules,
	}),
)
