/** What ANP makes smaller: the loss of the masked net, and its loss when every neuron is disturbed as badly as can be. */
import { renameValues } from '../../../graph/edit.ts'
import { gradient } from '../../../graph/gradient/gradient.ts'
import { Tape } from '../../../graph/gradient/tape.ts'
import type { Model } from '../../../model/model.ts'
import { crossEntropy } from '../../../train/loss.ts'
import { buildForward, LABELS, type Problem } from '../../../train/problem.ts'
import { trainingForm } from '../../../train/training-form.ts'
import type { PruneLayer } from '../../prune/layer.ts'
import { withCoefficients } from './coefficients.ts'

export interface PerturbationOptions {
	/** Images of a step. */
	readonly batch: number
	/** Bound ε of the disturbance, as a share of a neuron's weights. */
	readonly epsilon: number
	/** Weight α of the undisturbed loss; 1 − α on the disturbed one. */
	readonly alpha: number
}

/** The masks are its parameters, one initializer `[channels]` for each place, in their order, all 1. */
export interface PerturbationProblem extends Problem {
	readonly masks: readonly string[]
	/** All masks behind one another, as the step finds them, `[neurons]`. */
	readonly all: string
}

/**
 * `α · L(m ⊙ w, b) + (1 − α) · L((m + δ) ⊙ w, (1 + ξ) ⊙ b)` and its gradient for the masks m, with δ and ξ at ε in the direction that makes the
 * loss of the masked net larger (Wu & Wang, "Adversarial Neuron Pruning Purifies Backdoored Deep Models", NeurIPS 2021, equations 3 and 5). One
 * step from no disturbance: the authors' code steps from a random one, which costs a third pass. Like theirs, batch normalization measures the
 * batch, and δ and ξ count as constants where the gradient is taken.
 *
 * @throws UnsupportedError as `gradient` does
 */
export async function perturbationProblem(
	model: Model,
	places: readonly PruneLayer[],
	{ batch, epsilon, alpha }: PerturbationOptions,
): Promise<PerturbationProblem> {
	const { graph: plain, statistics } = trainingForm(model)
	const net = withCoefficients(plain, places)
	const form = { graph: net.graph, statistics }
	const forward = await buildForward(model, form, batch, (tape, logits) =>
		crossEntropy(tape, logits, LABELS, { batch, classes: model.classes, smoothing: 0 }),
	)
	const masks = net.coefficients.map(({ weight }) => weight)
	const biases = net.coefficients.flatMap(({ bias }) => bias ?? [])
	const { graph: first, of } = gradient(forward.graph, forward.loss, [...masks, ...biases])

	const disturbed = new Tape(first, 'disturbed')
	const disturb = (name: string) => {
		const direction = disturbed.emit('Sign', [of.get(name)!])
		return disturbed.emit('Add', [name, disturbed.emit('Mul', [direction, disturbed.scalar(epsilon)])])
	}
	const instead = new Map([...masks, ...biases].map((name) => [name, disturb(name)]))
	// The same net once more, under other names, on the disturbed factors; it shares images, labels and weights with the first.
	const made = new Set(first.nodes.flatMap(({ outputs }) => outputs))
	const renamed = (name: string) => instead.get(name) ?? (made.has(name) ? `second/${name}` : name)
	const second = renameValues(first, renamed).nodes.map((node) => ({ ...node, name: `second/${node.name}` }))
	const whole = { ...disturbed.appended(), nodes: [...first.nodes, ...disturbed.nodes, ...second] }

	const tape = new Tape(whole, 'step')
	const mix = (name: string) => {
		const clean = tape.emit('Mul', [name, tape.scalar(alpha)])
		return tape.emit('Add', [clean, tape.emit('Mul', [renamed(name), tape.scalar(1 - alpha)])])
	}
	const loss = mix(forward.loss)
	const gradientOf = new Map(masks.map((name) => [name, mix(of.get(name)!)]))
	const all = tape.emit('Concat', masks, { axis: 0 })
	const graph = tape.appended()
	// The statistics are carried though nobody asks for them: ONNX Runtime writes the next ones over those of the step, and where they were
	// constants also over every equal constant.
	const parameters = masks.map((name) => ({ name, tensor: graph.initializers.get(name)!, isKernel: false }))
	return { ...{ graph, loss, correct: forward.correct, parameters, gradientOf, masks, all }, statistics }
}
