/**
 * Neural attention distillation (Li et al. 2021, arXiv:2101.05930): a student learns from labels, and from where its teacher looks. Teacher and
 * student run side by side in one graph on the same images; the teacher's weights are constants of it.
 */
import { UnsupportedError } from '../../errors.ts'
import { putBeside } from '../../graph/beside.ts'
import { extract } from '../../graph/edit.ts'
import { restateForGradient } from '../../graph/gradient/restate.ts'
import type { Tape } from '../../graph/gradient/tape.ts'
import type { Graph } from '../../graph/graph.ts'
import { valueNames } from '../../graph/query.ts'
import type { Model } from '../../model/model.ts'
import { crossEntropy } from '../../train/loss.ts'
import { buildForward, differentiate, LABELS, type ProblemBuilder } from '../../train/problem.ts'
import { trainingForm } from '../../train/training-form.ts'
import { prunableLayers } from '../prune/layer.ts'

/** Maps from this many stages are compared, the last ones: as many as a wide residual net has, on which the paper tunes. */
const STAGES = 3
/** Keeps the gradient finite where a map is 0 everywhere. */
const EPSILON = 1e-6

/** A value whose channels are looked at. */
export interface AttentionPlace {
	readonly name: string
	/** Of `[N, …]`, the axis that counts channels: 1 or 3. */
	readonly axis: number
}

/**
 * Cross-entropy on the labels and, `beta` times, the distances between attention maps of `teacher` and student (equation 4), summed over
 * stages. The distance of a stage is the mean square over images and positions of the difference of normalized maps, as in the authors' code
 * (github.com/bboylyg/NAD, at.py), for which their β is meant; the norm that equation 2 writes has no gradient where both agree.
 *
 * @param teacher the same net with other weights; it runs as it does when it answers, batch normalization included
 * @throws UnsupportedError `not-applicable` for a net without maps
 */
export function attentionDistillation(teacher: Model, beta: number): ProblemBuilder {
	return async (model, { batch, smoothing }) => {
		const form = trainingForm(model)
		const places = attentionPlaces(model, form.graph)
		const taught = extract(
			teacher.graph,
			places.map(({ name }) => teacher.values.get(name)!),
		)
		const input = new Map([[model.input.name, model.input.name]])
		const { graph, nameOf } = putBeside(form.graph, restateForGradient(taught), input, '/teacher')
		const forward = await buildForward(model, { ...form, graph }, batch, (tape, logits) => {
			const { loss, correct } = crossEntropy(tape, logits, LABELS, { batch, classes: model.classes, smoothing })
			const distances = places.map((place) => attentionDistance(tape, place, nameOf(place.name)))
			const distance = tape.emit('Mul', [tape.emit('Sum', distances), tape.scalar(beta)])
			return { loss: tape.emit('Add', [loss, distance]), correct }
		})
		return differentiate(forward)
	}
}

/**
 * Where attention is compared: of each run of layers with maps of one size, the last; of those the last three, in the order of the net. In a
 * residual net these are the ends of its groups, as in the paper; in a plain one what follows each pooling.
 *
 * @param graph values that it lacks are no places: its training form has pooling before ReLU
 * @throws UnsupportedError `not-applicable`
 */
export function attentionPlaces(model: Model, graph: Graph): AttentionPlace[] {
	const known = valueNames(graph)
	const lastOfSize = new Map<string, AttentionPlace>()
	for (const { name, axis, shape } of prunableLayers(model)) {
		const size = shape.filter((_, i) => i !== 0 && i !== axis)
		const isMap = size.length === 2 && size.some((side) => side !== 1)
		if (isMap && known.has(name)) lastOfSize.set(size.join('×'), { name, axis })
	}
	if (lastOfSize.size > 0) return [...lastOfSize.values()].slice(-STAGES)
	const { path } = model.source
	const message = `${path}: nad needs convolutions, whose maps show where a net looks, and this net has none that its answer is computed from`
	throw new UnsupportedError('not-applicable', message, { path })
}

/** Between the map of the student's value and that of the teacher's, `[]`. */
export function attentionDistance(tape: Tape, { name, axis }: AttentionPlace, taught: string): string {
	const difference = tape.emit('Sub', [attentionMap(tape, name, axis), attentionMap(tape, taught, axis)])
	return tape.reduce('ReduceMean', tape.emit('Mul', [difference, difference]), [0, 1, 2], false)
}

/** `A / ‖A‖` of each image with `A = Σ |activation|²` over channels, `[N, H, W]` (A²_sum, section 3.1). */
function attentionMap(tape: Tape, name: string, axis: number): string {
	const sum = tape.reduce('ReduceSum', tape.emit('Mul', [name, name]), [axis], false)
	const squares = tape.reduce('ReduceSum', tape.emit('Mul', [sum, sum]), [1, 2], true)
	return tape.emit('Div', [sum, tape.emit('Sqrt', [tape.emit('Add', [squares, tape.scalar(EPSILON ** 2)])])])
}
