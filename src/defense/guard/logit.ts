/**
 * A bound on the winning logit, or on its margin over the second. The suspicious side is the high one: a trigger that was trained to
 * overrule whatever else an image shows drives the target's logit far beyond what clean images of any class reach (on the lab's net: up
 * to 102 on 52 clean faces, of which the target's own at most 9; 107 to 245 on triggered ones), whereas a low one is what any unclear image
 * has.
 *
 * `score = z_b − offset_b`, or `z_b − max_{j ≠ b} z_j − offset_b`, with the logits z of B and its answer b. The offset of a label is the
 * median of its clean images less the median of all, where it has enough of them, else 0: with a threshold t, the bound of a label is
 * `t + offset`, and labels of which little was seen share one bound, t.
 */
import type { ImageSet } from '../../data/image-set.ts'
import { floatTensor } from '../../graph/graph.ts'
import type { Model } from '../../model/model.ts'
import { predict, type RunOptions } from '../../model/predict.ts'
import type { Guard } from './guard.ts'
import { asFloat, largest, largestOther, oneHot } from './score-nodes.ts'

/** Clean images of a label that are enough for a bound of its own: their median then hardly moves by one image. */
const MIN_IMAGES = 20

/**
 * The guard by a bound on the winning logit (`logit`) or on its margin (`margin`), the bound chosen for a false rejection rate.
 *
 * @param valid clean images, with labels or without: what counts is B's answer
 * @throws InterruptedError
 */
export async function logit(
	kind: 'logit' | 'margin',
	badnet: Model,
	valid: ImageSet,
	options: RunOptions = {},
): Promise<Guard> {
	const offsets = offsetsOf(await winners(kind, badnet, valid, options), badnet.classes)
	const own = [...offsets.keys()]
	const table = Float32Array.from({ length: badnet.classes }, (_, label) => offsets.get(label) ?? 0)
	return {
		kind,
		nets: [],
		parameters: { ownBounds: own, offsets: own.map((label) => table[label]!), minImages: MIN_IMAGES },
		threshold: null,
		highest: Number.POSITIVE_INFINITY,
		writeScore(tape, { badnet: net, classes }) {
			const logits = asFloat(tape, net.logits)
			const first = largest(tape, logits)
			const second = () => largestOther(tape, logits, oneHot(tape, net.label, classes))
			const quantity = kind === 'logit' ? first : tape.emit('Sub', [first, second()])
			const offset = tape.emit('Gather', [tape.constant(floatTensor([classes], table)), net.label], { axis: 0 })
			return tape.emit('Sub', [quantity, offset])
		},
	}
}

/** The winning logit or margin of each image, by the label that won. */
async function winners(
	kind: 'logit' | 'margin',
	badnet: Model,
	valid: ImageSet,
	options: RunOptions,
): Promise<Map<number, number[]>> {
	const values = new Map<number, number[]>()
	for await (const { labels, logits } of predict(badnet, valid, options)) {
		for (const [i, label] of labels.entries()) {
			const row = logits.subarray(i * badnet.classes, (i + 1) * badnet.classes)
			const value = kind === 'logit' ? row[label]! : row[label]! - largestBeside(row, label)
			const known = values.get(label)
			if (known) known.push(value)
			else values.set(label, [value])
		}
	}
	return values
}

function largestBeside(row: Float32Array, label: number): number {
	return row.reduce((most, value, i) => (i === label ? most : Math.max(most, value)), Number.NEGATIVE_INFINITY)
}

/** Label → how far its median lies above that of all, for labels with enough images. */
function offsetsOf(values: ReadonlyMap<number, readonly number[]>, classes: number): Map<number, number> {
	const pooled = median([...values.values()].flat())
	const labels = [...Array(classes).keys()]
	return new Map(
		labels.flatMap((label) => {
			const own = values.get(label) ?? []
			return own.length < MIN_IMAGES ? [] : [[label, median(own) - pooled] as const]
		}),
	)
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b)
	const middle = sorted.length / 2
	return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}
