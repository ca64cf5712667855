/**
 * Sharpness-aware minimisation as a problem to train on: the gradient is taken not at the weights but where the loss is highest near them, so
 * that descent seeks flat valleys. The neurons of a backdoor have large weights in a sharp one (Zhu et al. 2023, "Enhancing Fine-Tuning Based
 * Backdoor Defense with Sharpness-Aware Minimization", arXiv:2304.11823, section 4.2).
 */

import { putBeside } from '../../graph/beside.ts'
import { Tape } from '../../graph/gradient/tape.ts'
import { normOf } from '../../train/clip.ts'
import { classification, type Problem, type ProblemBuilder } from '../../train/problem.ts'

/** Keeps the climb finite where the gradient is 0, as in the authors' code. */
const EPSILON = 1e-12

/** Cross-entropy, with its gradient `rho` away: see `climbed`. @param rho radius ρ, at least 0 */
export function sharpnessAware(rho: number): ProblemBuilder {
	return async (model, options) => climbed(await classification(model, options), rho)
}

/**
 * `problem` with the gradient at `w + ρ·T²g / ‖T g‖` in place of g, the gradient at w: `T = |w|`, so that large weights are moved further
 * (equations 3 and 4; adaptive SAM, Kwon et al. 2021, arXiv:2102.11600), and the norm is over all parameters. The graph holds both passes.
 * Loss and next running statistics are those of the first, at w.
 */
export function climbed(problem: Problem, rho: number): Problem {
	const { graph, parameters, gradientOf } = problem
	const tape = new Tape(graph, 'climb')
	const slopes = parameters.map(({ name }) => tape.emit('Mul', [tape.emit('Abs', [name]), gradientOf.get(name)!]))
	const norm = tape.emit('Add', [normOf(tape, slopes), tape.scalar(EPSILON)])
	const factor = tape.emit('Div', [tape.scalar(rho), norm])
	const above = new Map(
		parameters.map(({ name }, i) => {
			const direction = tape.emit('Mul', [tape.emit('Abs', [name]), slopes[i]!])
			return [name, tape.emit('Add', [name, tape.emit('Mul', [direction, factor])])] as const
		}),
	)
	const same = [...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]
	const given = new Map([...same.map((name) => [name, name] as const), ...above])
	const both = putBeside(tape.appended(), graph, given, '/climbed')
	return {
		...problem,
		graph: both.graph,
		gradientOf: new Map([...gradientOf].map(([name, at]) => [name, both.nameOf(at)])),
	}
}
