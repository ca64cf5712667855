/** Operators whose output is an integer, a truth value, or constant between jumps: nothing flows back through them. */
import type { GradientRules } from './rule.ts'

const FLAT = [
	...['Shape', 'Size', 'ConstantOfShape', 'Range', 'EyeLike', 'RandomNormalLike', 'RandomUniformLike', 'OneHot'],
	...['ArgMax', 'ArgMin', 'NonZero', 'Sign', 'Floor', 'Ceil', 'Round', 'IsNaN', 'IsInf'],
	...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Not', 'And', 'Or', 'Xor'],
]

export const flatRules: GradientRules = Object.fromEntries(FLAT.map((op) => [op, () => []]))
