/** The table from operator to gradient rule. Each family stands in its own file. */
import { activationRules } from './activation.ts'
import { arithmeticRules } from './arithmetic.ts'
import { convolutionRules } from './convolution.ts'
import { elementwiseRules } from './elementwise.ts'
import { flatRules } from './flat.ts'
import { gridSampleRules } from './grid-sample.ts'
import { indexingRules } from './indexing.ts'
import { matrixRules } from './matrix.ts'
import { normalizationRules } from './normalization.ts'
import { paddingRules } from './padding.ts'
import { passingRules } from './passing.ts'
import { poolingRules } from './pooling.ts'
import { reductionRules } from './reduction.ts'
import { resizeRules } from './resize.ts'
import type { GradientRule } from './rule.ts'
import { selectionRules } from './selection.ts'
import { shapeRules } from './shape.ts'
import { softmaxRules } from './softmax.ts'

export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
	Object.entries({
		...arithmeticRules,
		...elementwiseRules,
		...activationRules,
		...softmaxRules,
		...selectionRules,
		...matrixRules,
		...shapeRules,
		...indexingRules,
		...reductionRules,
		...passingRules,
		...flatRules,
		...convolutionRules,
		...poolingRules,
		...normalizationRules,
		...paddingRules,
		...resizeRules,
		...gridSampleRules,
	}),
)
